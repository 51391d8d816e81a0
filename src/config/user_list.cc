#include "config/user_list.h"

#include <optional>

#include "config/number.h"

namespace pgweir::config {
namespace {

// Takes "a ""b""" off `text`, without the quotes around it; nullopt if it is not there.
std::optional<std::string> take_quoted(std::string_view& text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i + 1 == text.size() || text[i + 1] != '"') {
        text.remove_prefix(i + 1);
        return value;
      }
      ++i;
    }
    value += text[i];
  }
  return std::nullopt;
}

}  // namespace

void parse_user_list(std::string_view text, const std::string& file, Document& document,
                     Report& report) {
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == ';') continue;

    const Place place{file, number};
    const std::optional<std::string> user = take_quoted(line);
    line = trim(line);
    const std::optional<std::string> secret = take_quoted(line);
    if (!user || user->empty() || !secret) {
      report.add_mistake(place, "", "is no line of a user list; expected \"user\" \"password\"");
      continue;
    }
    document.section(Scope::User, *user, place)
        .assignments.push_back({"password", *secret, Syntax::Toml, place});
  }
}

}  // namespace pgweir::config

#include "session/startup_options.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>

namespace pgweir::session {
namespace {

base::Error refusal(std::string text) {
  return {
      .code = base::ErrorCode::Unsupported, .side = base::Side::Client, .context = std::move(text)};
}

// As valid_custom_variable_name and the built-in names: letters, digits, _, $ and dots.
bool is_parameter_name(std::string_view name) {
  if (name.empty() || name.size() > 200) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '$' || c >= 0x80;
  });
}

// Splits at white space; a backslash takes the next character as it is.
std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    if (!word) word.emplace();
    *word += text[i];
  }
  if (word) words.push_back(std::move(*word));
  return words;
}

class Collector {
 public:
  base::Status add(std::string_view name, std::string_view value) {
    const std::string key = canonical_name(name);
    if (!is_parameter_name(key)) {
      return refusal("invalid name of a startup parameter: \"" + std::string(name) + "\"");
    }
    if (key == "role" || key == "session_authorization") {
      return refusal("pgweir does not take \"" + key +
                     "\" at startup: log in as that user, or use SET ROLE in the session");
    }
    set_[key] = {.text = std::string(value), .is_source = false};
    return base::success();
  }

  base::Status add_options(std::string_view text) {
    const std::vector<std::string> words = split_words(text);
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::string_view assignment = words[i];
      if (assignment == "-c" && i + 1 < words.size()) {
        assignment = words[++i];
      } else if (assignment.starts_with("--") || assignment.starts_with("-c")) {
        assignment.remove_prefix(2);
      } else {
        return refusal(
            "pgweir understands only -c name=value and --name=value in \"options\", not "
            "\"" +
            words[i] + "\"");
      }
      const std::size_t equals = assignment.find('=');
      if (equals == std::string_view::npos) {
        return refusal("a value is missing in \"options\": \"" + words[i] + "\"");
      }
      // ParseLongOption: a dash in the name stands for an underscore.
      std::string name(assignment.substr(0, equals));
      std::replace(name.begin(), name.end(), '-', '_');
      TRY(add(name, assignment.substr(equals + 1)));
    }
    return base::success();
  }

  ParameterSet take() { return {set_.begin(), set_.end()}; }

 private:
  std::map<std::string, ParameterValue> set_;
};

}  // namespace

base::Result<ParameterSet> parse_startup_options(
    const std::vector<std::pair<std::string, std::string>>& parameters) {
  Collector collector;
  // In PostgreSQL, too, the switches come first and a parameter of its own wins.
  for (const auto& [name, value] : parameters) {
    if (name == "options") TRY(collector.add_options(value));
  }
  for (const auto& [name, value] : parameters) {
    if (name != "options") TRY(collector.add(name, value));
  }
  return collector.take();
}

}  // namespace pgweir::session

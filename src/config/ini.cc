#include "config/ini.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "config/number.h"

namespace pgweir::config {
namespace {

constexpr int kIncludeDepthMax = 10;
// Keys whose built-in default is NULL: re-opening [pgbouncer] leaves them as they are.
constexpr std::array<std::string_view, 6> kKept{
    "auth_dbname",          "auth_file", "auth_user", "client_tls13_ciphers",
    "server_tls13_ciphers", "user"};

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '*' || c == '-';
}

// Takes 'it''s' off `text`, without the quotes; nullopt if it has no end.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\'') {
      if (i + 1 == text.size() || text[i + 1] != '\'') {
        text.remove_prefix(i + 1);
        return value;
      }
      ++i;
    }
    value += text[i];
  }
  return std::nullopt;
}

// A name, or a quoted one; nullopt if there is none.
std::optional<std::string> take_key(std::string_view& text) {
  if (!text.empty() && text.front() == '\'') return take_quoted(text);
  const auto end = std::find_if_not(text.begin(), text.end(), is_key_char);
  const std::string key(text.begin(), end);
  text.remove_prefix(key.size());
  if (key.empty()) return std::nullopt;
  return key;
}

class IniReader {
 public:
  IniReader(const FileReader& reader, Report& report) : reader_(reader), report_(report) {}

  void read(std::string_view text, const std::string& file, int depth) {
    std::uint32_t line = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      read_line(trim(text.substr(0, end)), {file, ++line}, depth);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
  }

  Document take(const std::string& file) {
    if (!has_process_section_) {
      report_.add_mistake({file, 0}, "[pgbouncer]", "is missing; PgBouncer's settings are in it");
    }
    return std::move(document_);
  }

 private:
  enum class Part { None, Process, Databases, Users, Peers };

  void read_line(std::string_view line, const Place& place, int depth) {
    constexpr std::string_view kInclude = "%include";
    if (line.empty() || line.front() == ';' || line.front() == '#') return;
    if (line.substr(0, kInclude.size()) == kInclude) {
      include(std::string(trim(line.substr(kInclude.size()))), place, depth);
    } else if (line.front() == '[') {
      open_section(line, place);
    } else {
      read_assignment(line, place);
    }
  }

  void include(const std::string& path, const Place& place, int depth) {
    if (depth == kIncludeDepthMax) {
      report_.add_mistake(place, "%include", "is nested too deep; 10 levels are the limit");
      return;
    }
    const base::Result<std::string> text = reader_(path);
    if (text) {
      read(*text, path, depth + 1);
    } else {
      report_.add_mistake(place, "%include", text.error().context);
    }
  }

  void open_section(std::string_view line, const Place& place) {
    if (line == "[pgbouncer]") {
      open_process(place);
    } else if (line == "[databases]") {
      part_ = Part::Databases;
    } else if (line == "[users]") {
      part_ = Part::Users;
    } else if (line == "[peers]") {
      part_ = Part::Peers;
      report_.add_note(place, "[peers]", "no effect: pgweir's processes need no peers");
    } else {
      part_ = Part::Peers;  // Its lines are passed over: one mistake is enough.
      report_.add_mistake(place, std::string(line),
                          "unknown section; there are [databases], [users] and [pgbouncer]");
    }
  }

  // The header itself sets everything back to its default, as in PgBouncer.
  void open_process(const Place& place) {
    part_ = Part::Process;
    auto& all = document_.section(Scope::Process, "", place).assignments;
    const auto is_lost = [](const Assignment& one) {
      return std::find(kKept.begin(), kKept.end(), one.key) == kKept.end();
    };
    const auto lost_count = std::erase_if(all, is_lost);
    if (has_process_section_ && lost_count > 0) {
      report_.add_note(place, "[pgbouncer]",
                       "is opened again, which sets what stood in it before "
                       "back to its defaults, as in PgBouncer");
    }
    has_process_section_ = true;
  }

  void read_assignment(std::string_view line, const Place& place) {
    const std::optional<std::string> key = take_key(line);
    line = trim(line);
    if (!key || line.empty() || line.front() != '=') {
      report_.add_mistake(place, "", "is no line of an ini file; expected key = value");
      return;
    }
    const std::string_view value = trim(line.substr(1));
    switch (part_) {
      case Part::None:
        report_.add_mistake(place, *key, "stands before any section; expected [pgbouncer]");
        return;
      case Part::Process:
        document_.section(Scope::Process, "", place)
            .assignments.push_back({*key, std::string(value), Syntax::Ini, place});
        return;
      case Part::Databases: read_entry(Scope::Database, *key, value, place); return;
      case Part::Users: read_entry(Scope::User, *key, value, place); return;
      case Part::Peers: return;
    }
  }

  // A later entry of the same name replaces the earlier one.
  void read_entry(Scope scope, const std::string& name, std::string_view text, const Place& place) {
    Section& section = document_.section(scope, name, place);
    section.place = place;
    section.assignments.clear();
    if (scope == Scope::Database && name == "pgbouncer") {
      report_.add_mistake(place, name,
                          "is the name of the console; choose another for the database");
      return;
    }
    while (!text.empty()) {
      const std::optional<std::string> key = take_key(text);
      text = trim(text);
      if (!key || text.empty() || text.front() != '=') {
        report_.add_mistake(place, name, "is no connection string; expected key=value key=value");
        return;
      }
      text = trim(text.substr(1));
      const std::optional<std::string> value = take_value(text);
      if (!value) {
        report_.add_mistake(place, name + "." + *key, "has a quotation mark without its end");
        return;
      }
      // PgBouncer's own old name, which Debian's example still has.
      const bool is_old = scope == Scope::Database && *key == "reserve_pool";
      section.assignments.push_back(
          {is_old ? "reserve_pool_size" : *key, *value, Syntax::Ini, place});
      text = trim(text);
    }
  }

  static std::optional<std::string> take_value(std::string_view& text) {
    if (!text.empty() && text.front() == '\'') return take_quoted(text);
    const std::string value(text.substr(0, text.find_first_of(" \t")));
    text.remove_prefix(value.size());
    return value;
  }

  const FileReader& reader_;
  Report& report_;
  Document document_;
  Part part_ = Part::None;
  bool has_process_section_ = false;
};

}  // namespace

Document parse_ini(std::string_view text, const std::string& file, const FileReader& reader,
                   Report& report) {
  IniReader ini(reader, report);
  ini.read(text, file, 1);
  return ini.take(file);
}

}  // namespace pgweir::config

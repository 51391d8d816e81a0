#include "config/toml.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "config/url.h"

namespace pgweir::config {
namespace {

class TomlReader {
 public:
  TomlReader(const std::string& file, Report& report) : file_(file), report_(report) {}

  Document read(const toml::table& root) {
    read_process(root, true);
    return std::move(document_);
  }

 private:
  Place place_of(const toml::node& node) const { return {file_, node.source().begin.line}; }

  void read_process(const toml::table& table, bool is_root) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (is_root && node.is_table() && name == "pgweir") {
        read_process(*node.as_table(), false);
      } else if (is_root && name == "databases") {
        read_entries(node, Scope::Database, name);
      } else if (is_root && name == "users") {
        read_entries(node, Scope::User, name);
      } else if (is_root && node.is_table()) {
        report_.add_mistake(place_of(node), fmt::format("[{}]", name),
                            "unknown table; there are [pgweir], [databases.NAME] and [users.NAME]");
      } else {
        read_setting(name, node, document_.section(Scope::Process, "", {file_, 0}));
      }
    }
  }

  void read_entries(const toml::node& node, Scope scope, std::string_view title) {
    if (!node.is_table()) {
      report_.add_mistake(
          place_of(node), title,
          "must be a table: write [" + std::string(title) + ".NAME] with its settings below");
      return;
    }
    for (const auto& [name, entry] : *node.as_table()) {
      if (!entry.is_table()) {
        report_.add_mistake(place_of(entry), fmt::format("{}.{}", title, name.str()),
                            fmt::format("must be a table: write [{}.{}] with its settings below",
                                        title, name.str()));
        continue;
      }
      Section& section = document_.section(scope, std::string(name.str()), place_of(entry));
      for (const auto& [key, value] : *entry.as_table()) read_setting(key.str(), value, section);
    }
  }

  void read_setting(std::string_view key, const toml::node& node, Section& section) {
    const std::optional<std::string> text = text_of(node);
    if (!text) {
      report_.add_mistake(place_of(node), key,
                          "must be a text, a number, true, false or a list of texts");
      return;
    }
    if (key == "url" && section.scope == Scope::Database) {
      // Before the rest, so that settings beside the URL win, wherever they stand.
      const std::size_t mistake_count = report_.mistakes.size();
      const std::vector<Assignment> parts = parse_url(*text, place_of(node), report_);
      section.is_broken |= report_.mistakes.size() > mistake_count;
      section.assignments.insert(section.assignments.begin(), parts.begin(), parts.end());
      return;
    }
    section.assignments.push_back({std::string(key), *text, Syntax::Toml, place_of(node)});
  }

  static std::optional<std::string> text_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
    if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    const auto* list = node.as_array();
    if (list == nullptr) return std::nullopt;
    std::string joined;
    for (const toml::node& item : *list) {
      if (!item.is_string() || item.as_string()->get().find(',') != std::string::npos) {
        return std::nullopt;
      }
      joined += (joined.empty() ? "" : ",") + item.as_string()->get();
    }
    return joined;
  }

  const std::string& file_;
  Report& report_;
  Document document_;
};

}  // namespace

Document parse_toml(std::string_view text, const std::string& file, Report& report) {
  try {
    const toml::table root = toml::parse(text, file);
    return TomlReader(file, report).read(root);
  } catch (const toml::parse_error& error) {
    report.add_mistake({file, error.source().begin.line}, "",
                       fmt::format("is no TOML: {}", error.description()));
    return {};
  }
}

}  // namespace pgweir::config

#include "config/effective.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/assemble.h"
#include "config/settings.h"

namespace pgweir::config {
namespace {

std::string source_of(const Origins& origins, std::string_view name) {
  const auto found = origins.find(name);
  return found == origins.end() ? "default" : found->second.text();
}

template <class Visit>
void for_each_setting(Visit visit) {
  for (const SettingGroup& group : setting_groups()) {
    for (const Setting& setting : group.settings) visit(setting);
  }
}

// What was written about one database or user.
template <class Draft, class Value>
void add_entry(const std::string& prefix, const Value& value, const Origins& origins,
               Field<Draft, Value> Setting::*field, std::vector<EffectiveRow>& rows) {
  for_each_setting([&](const Setting& setting) {
    if (!(setting.*field) || !origins.contains(setting.name)) return;
    rows.push_back({prefix + std::string(setting.name), (setting.*field).render(value), "",
                    source_of(origins, setting.name), setting.reload});
  });
}

const Origins& origins_of(const std::map<std::string, Origins>& all, const std::string& name) {
  static const Origins kNone;
  const auto found = all.find(name);
  return found == all.end() ? kNone : found->second;
}

std::string spellings_of(const Setting& setting) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view where, const Spelling& spelling) {
    if (spelling.key.empty()) return;
    std::string part = fmt::format("{}: {}", where, spelling.key);
    if (spelling.unit == Unit::Seconds) part += " (s)";
    if (spelling.unit == Unit::Milliseconds) part += " (ms)";
    if (spelling.fallback) part += fmt::format(" = {}", *spelling.fallback);
    parts.push_back(std::move(part));
  };
  add("toml", setting.toml);
  add("url", setting.url);
  add("ini", setting.ini);
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string_view describe(Reload reload) {
  switch (reload) {
    case Reload::Live: return "live";
    case Reload::NewConnections: return "new connections";
    case Reload::Restart: return "restart";
  }
  return {};
}

std::vector<EffectiveRow> effective_rows(const Config& config) {
  std::vector<EffectiveRow> rows;
  const Config defaults = default_config(config.defaults);
  for_each_setting([&](const Setting& setting) {
    if (!setting.process) return;
    rows.push_back({std::string(setting.name), setting.process.render(config),
                    setting.process.render(defaults), source_of(config.origins, setting.name),
                    setting.reload});
  });
  for (const proxy::DatabaseOptions& database : config.proxy.databases) {
    add_entry("databases." + database.name + ".", database,
              origins_of(config.database_origins, database.name), &Setting::database, rows);
  }
  for (const proxy::UserOptions& user : config.proxy.users) {
    add_entry("users." + user.name + ".", user, origins_of(config.user_origins, user.name),
              &Setting::user, rows);
  }
  return rows;
}

std::string render_effective(const Config& config) {
  const std::vector<EffectiveRow> rows = effective_rows(config);
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const EffectiveRow& row : rows) {
    name_width = std::max(name_width, row.name.size());
    value_width = std::max(value_width, std::min<std::size_t>(row.value.size(), 40));
  }
  std::string text;
  for (const EffectiveRow& row : rows) {
    text += fmt::format("{:<{}}  {:<{}}  {}\n", row.name, name_width, row.value, value_width,
                        row.source);
  }
  return text;
}

std::string render_settings_help() {
  const Config defaults;
  std::string text;
  for (const SettingGroup& group : setting_groups()) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", group.title);
    for (const Setting& setting : group.settings) {
      text += fmt::format("\n  {} <{}>", setting.name, setting.type());
      if (setting.process) text += fmt::format(" = {}", setting.process.render(defaults));
      text += fmt::format("\n      {}\n      {}; changes: {}\n", setting.doc, spellings_of(setting),
                          describe(setting.reload));
    }
  }
  return text;
}

}  // namespace pgweir::config

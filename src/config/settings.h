// The settings table: every setting of pgweir, once. From it come the parsers of all syntaxes,
// their defaults, SHOW CONFIG, --help-config, `pgweir config` and what a reload has to do.
// The rows are in settings_*.cc, by subject.
#pragma once

#include <span>
#include <vector>

#include "config/setting.h"

namespace pgweir::config {

// Rows that belong together, under one heading of the manual.
struct SettingGroup {
  std::string_view title;
  std::span<const Setting> settings;
};
std::span<const SettingGroup> setting_groups();

// Each in the file of its name, but clients with sessions and listening with the process.
SettingGroup server_settings();
SettingGroup server_tls_settings();
SettingGroup pool_settings();
SettingGroup client_settings();
SettingGroup session_settings();
SettingGroup listen_settings();
SettingGroup process_settings();
SettingGroup library_settings();

// The row with that key in that syntax and scope, or nullptr.
const Setting* find_setting(Syntax syntax, Scope scope, std::string_view key);

// What to say of a key that no row has: where it belongs, how it is called here, or what it may
// have been meant to be.
std::string describe_unknown(Syntax syntax, Scope scope, std::string_view key);

bool has_scope(const Setting& setting, Scope scope);

}  // namespace pgweir::config

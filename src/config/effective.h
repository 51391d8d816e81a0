// The configuration as it is in effect, for `pgweir config` and SHOW CONFIG, and the settings as
// they may be written, for --help-config. Secrets are shown as ****.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/setting.h"

namespace pgweir::config {

struct EffectiveRow {
  std::string name;           // "pool_mode", "databases.app.host", "users.app.password".
  std::string value;          // As it may be written in pgweir.toml; secrets as ****.
  std::string default_value;  // Of settings for the whole process; empty for the others.
  std::string source;         // "default", "DATABASE_URL", "pgweir.toml:12", "--listen", …
  Reload reload = Reload::Live;
};

// Every setting for the whole process in the order of the table, then, of each database and user,
// those that were written.
std::vector<EffectiveRow> effective_rows(const Config& config);

// "live", "new connections", "restart".
std::string_view describe(Reload reload);

// Rows in columns: name, value, source.
std::string render_effective(const Config& config);

// Every setting with its type, default, names in each syntax and its sentence, by subject.
std::string render_settings_help();

}  // namespace pgweir::config

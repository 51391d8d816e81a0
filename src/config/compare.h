// Compare: what a reload changes, setting by setting, and what each change needs to take effect.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/setting.h"

namespace pgweir::config {

struct Change {
  enum class Kind : std::uint8_t { Changed, Added, Removed };

  Kind kind = Kind::Changed;
  std::string name;    // "pool_mode", "databases.app.host"; of an added or removed entry, its name.
  std::string before;  // Secrets as ****, so that both may look alike. Empty unless Changed.
  std::string after;
  Reload reload = Reload::Live;
};

// In the order of the settings table, then by database and user. Empty: nothing changed.
std::vector<Change> compare(const Config& before, const Config& after);

}  // namespace pgweir::config

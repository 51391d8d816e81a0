// Catalog: who and what the configuration knows: a database by the name that a client says, a user
// by name, and the pool mode that holds for both. Lookups only.
#pragma once

#include <algorithm>
#include <string_view>

#include "proxy/options.h"

namespace pgweir::proxy {

// The entry of that name, else the one called "*", else nullptr.
inline const DatabaseOptions* find_database(const Options& options, std::string_view name) {
  const DatabaseOptions* fallback = nullptr;
  for (const DatabaseOptions& database : options.databases) {
    if (database.name == name) return &database;
    if (database.name == "*") fallback = &database;
  }
  return fallback;
}

inline const UserOptions* find_user(const Options& options, std::string_view name) {
  const auto at = std::lower_bound(
      options.users.begin(), options.users.end(), name,
      [](const UserOptions& user, std::string_view wanted) { return user.name < wanted; });
  return at != options.users.end() && at->name == name ? &*at : nullptr;
}

// The user's own mode goes before the database's, that before the general one.
inline PoolMode pool_mode_of(const Options& options, const DatabaseOptions& database,
                             const UserOptions* user) {
  if (user != nullptr && user->pool_mode) return *user->pool_mode;
  return database.pool_mode.value_or(options.pool_mode);
}

}  // namespace pgweir::proxy

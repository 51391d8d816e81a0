// Catalog: who and what the configuration knows: a database by the name that a client says, a user
// by name, and what holds for both: the pool mode, the patience. Lookups only.
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

// What holds for that user: what is said of it, or of those who are in no list.
inline const UserOptions& user_or_defaults(const Options& options, std::string_view name) {
  const UserOptions* listed = find_user(options, name);
  return listed != nullptr ? *listed : options.user_defaults;
}

// The user's own mode goes before the database's, that before the general one.
inline PoolMode pool_mode_of(const Options& options, const DatabaseOptions& database,
                             const UserOptions& user) {
  return user.pool_mode.value_or(database.pool_mode.value_or(options.pool_mode));
}

// How long a user's clients may take; zero: as long as they like.
struct Patience {
  base::Duration query;
  base::Duration transaction;
  base::Duration idle_transaction;
  base::Duration idle_client;
};
inline Patience patience_of(const Options& options, std::string_view name) {
  const UserOptions& user = user_or_defaults(options, name);
  return {
      .query = user.query_timeout.value_or(options.query_timeout),
      .transaction = user.transaction_timeout.value_or(options.transaction_timeout),
      .idle_transaction = user.idle_transaction_timeout.value_or(options.idle_transaction_timeout),
      .idle_client = user.client_idle_timeout.value_or(options.client_idle_timeout)};
}

// Whether there is anybody whose silence ends some day.
inline bool has_idle_client_limit(const Options& options) {
  const auto has_own = [](const UserOptions& user) { return user.client_idle_timeout.has_value(); };
  return options.client_idle_timeout != base::Duration::zero() ||
         std::any_of(options.users.begin(), options.users.end(), has_own);
}

}  // namespace pgweir::proxy

/// \file
/// database_options: which database, and what holds for its pool. The settings are those of the
/// daemon's URL, by the same names; the same parser reads them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pgweir/export.hpp"
#include "pgweir/log.hpp"
#include "pgweir/observer.hpp"

namespace pgweir {
inline namespace v1 {

/// A value. Nothing is checked before a database_pool is made of it.
class PGWEIR_EXPORT database_options {
 public:
  /// From the environment variable DATABASE_URL.
  database_options();
  /// As in "postgresql://user:password@host:5432/name?connection_limit=10&pool_timeout=5".
  explicit database_options(std::string url) : url_(std::move(url)) {}

  /// The same as `name=value` in the URL, and instead of it. `set("pool_timeout", "2s")`.
  database_options& set(std::string_view name, std::string_view value);

  /// Takes the log lines of the pool.
  database_options& log_to(log_function function);
  /// Empty: standard error.
  const log_function& log() const noexcept { return log_; }

  /// Is told what happens to the connections of the pool, and lives as long as that.
  database_options& observe_by(std::shared_ptr<pool_observer> observer);
  /// Null: nobody.
  const std::shared_ptr<pool_observer>& observer() const noexcept { return observer_; }

  /// The URL with what was set. It may hold the password.
  std::string url() const;

 private:
  std::string url_;
  std::vector<std::pair<std::string, std::string>> set_;
  log_function log_;
  std::shared_ptr<pool_observer> observer_;
};

}  // namespace v1
}  // namespace pgweir

// Settings: what a URL says of a database, read as the daemon reads it, with the defaults of one
// process among many. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/shared_pool.h"
#include "config/options.h"
#include "pgweir/result.hpp"
#include "proxy/options.h"

namespace pgweir::client {

struct Settings {
  proxy::DatabaseOptions database;  // Hosts, user, TLS, session settings.
  SharedPoolOptions pool;
  config::LibraryOptions library;
  base::Duration acquire_timeout = std::chrono::seconds(10);  // pool_timeout; zero: none.
  bool is_limit_told = false;                                 // By the URL.
  bool is_line_told = false;                                  // How many may wait.
};

// cpu_count: that this process may use; the default limit follows from it. Errors: config, with
// every mistake in a line of its own and never the password.
result<Settings> read_settings(std::string_view url, std::uint32_t cpu_count);

// The same pool with another limit: how many may wait and log in at once follows from it, unless
// the URL says so.
pool::Options with_limit(const Settings& settings, std::uint32_t limit);

// "app@db.example:5432/shop": what messages call the database.
std::string describe(const Settings& settings);

}  // namespace pgweir::client

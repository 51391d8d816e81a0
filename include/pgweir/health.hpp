/// \file
/// health: whether a service's database answers, as the body of its /api/health. Which HTTP server
/// sends it is the program's.
#pragma once

#include <string>

#include "pgweir/database_pool.hpp"

namespace pgweir {
inline namespace v1 {

struct health_report {
  bool is_ok = false;  ///< PostgreSQL answered: HTTP 200; else 503.
  std::string body;  ///< JSON: {"status":"ok","database":{"connected":true,…},"pool":{…},…}.
};

/// Asks within half a second, by a connection of the pool's. Never throws for what the database
/// does. Thread-safety: any.
PGWEIR_EXPORT health_report check_health(const database_pool& db,
                                         code_location where = code_location::current());

/// Its body alone: the same names as of the daemon's /api/health.
inline std::string health_json(const database_pool& db,
                               code_location where = code_location::current()) {
  return check_health(db, where).body;
}

}  // namespace v1
}  // namespace pgweir

#include "pgweir/health.hpp"

#include <nlohmann/json.hpp>

#include "obs/wall_time.h"

namespace pgweir {
inline namespace v1 {

using Json = nlohmann::ordered_json;

health_report check_health(const database_pool& db, code_location where) {
  const pool_info info = db.info(where);
  const bool is_ok = info.server.has_value();
  Json database = {{"connected", is_ok}, {"activeConnections", nullptr}};
  if (is_ok) {
    database["activeConnections"] = info.server->active_connections;
  } else {
    database["reason"] = info.problem;
  }
  Json server = {{"maxConnections", nullptr}};
  if (is_ok) server["maxConnections"] = info.server->max_connections;
  const Json body = {{"status", is_ok ? "ok" : "error"},
                     {"database", database},
                     {"timestamp", obs::iso_text(std::chrono::system_clock::now())},
                     {"pool",
                      {{"limit", info.limit},
                       {"open", info.open},
                       {"inUse", info.in_use},
                       {"waiting", info.waiting},
                       {"idle", info.idle},
                       {"connecting", info.connecting},
                       {"closing", info.closing}}},
                     {"server", server}};
  // A reason may hold a foreign server's bytes in any encoding.
  return {.is_ok = is_ok, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace v1
}  // namespace pgweir

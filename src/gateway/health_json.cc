#include "gateway/health_json.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "obs/wall_time.h"

namespace pgweir::gateway {
namespace {

using Json = nlohmann::ordered_json;

template <class Number>
Json number_or_null(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

// A reason may hold bytes of a foreign server in any encoding; what is not UTF-8 is replaced, so
// that dump() does not throw.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Milliseconds are as exact as an age can be; more digits would only be noise.
std::optional<double> seconds_of(const std::optional<base::Duration>& age) {
  if (!age) return std::nullopt;
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(*age);
  return static_cast<double>(whole.count()) / 1000.0;
}

}  // namespace

std::string health_json(const HealthSnapshot& health, std::chrono::system_clock::time_point now) {
  Json database = {{"connected", health.is_connected},
                   {"activeConnections", number_or_null(health.active_connections)}};
  if (!health.is_connected) database["reason"] = health.reason;
  const Json body = {{"status", health.is_connected ? "ok" : "error"},
                     {"database", database},
                     {"timestamp", obs::iso_text(now)},
                     {"ageSeconds", number_or_null(seconds_of(health.age))},
                     {"pool",
                      {{"limit", number_or_null(health.pool.limit)},
                       {"open", health.pool.open},
                       {"inUse", health.pool.in_use},
                       {"waiting", health.pool.waiting},
                       {"idle", health.pool.idle},
                       {"connecting", health.pool.connecting},
                       {"closing", health.pool.closing}}},
                     {"server",
                      {{"maxConnections", number_or_null(health.max_connections)},
                       {"usable", number_or_null(health.usable)}}}};
  return text_of(body);
}

std::string status_json(std::string_view reason) {
  if (reason.empty()) return R"({"status":"ok"})";
  return text_of(Json{{"status", "error"}, {"reason", reason}});
}

std::string error_json(std::string_view error, std::string_view message) {
  return text_of(Json{{"error", error}, {"message", message}});
}

}  // namespace pgweir::gateway

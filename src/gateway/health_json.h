// The body of /api/health, /livez and /readyz as JSON. The first three fields of /api/health, their
// names and their order are the contract of the endpoint; fields may be added after them only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/snapshot.h"

namespace pgweir::gateway {

// {"status":"ok","database":{"connected":true,"activeConnections":5},"timestamp":"…Z", …}. When the
// database did not answer, status is "error" and database.reason says why.
std::string health_json(const HealthSnapshot& health, std::chrono::system_clock::time_point now);

// {"status":"ok"}, or {"status":"error","reason":"…"} when a reason is given.
std::string status_json(std::string_view reason);

// {"error":"not_found","message":"…"}.
std::string error_json(std::string_view error, std::string_view message);

}  // namespace pgweir::gateway

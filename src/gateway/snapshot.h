// What the gateway serves: plain values that the rest of the process hands over, and
// SnapshotSource, the interface through which it asks for them. Nothing here refers back into a
// running reactor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "obs/log.h"
#include "obs/metrics.h"

namespace pgweir::gateway {

// Connections to PostgreSQL, over all pools, and who wants one.
struct PoolSnapshot {
  std::optional<std::uint32_t> limit = {};  // None: not known yet, or none.
  std::uint32_t open = 0;  // Connecting, idle, in use and closing: all that take a slot.
  std::uint32_t in_use = 0;
  std::uint32_t idle = 0;
  std::uint32_t connecting = 0;
  std::uint32_t closing = 0;
  std::uint32_t waiting = 0;  // Clients.
};

// The last answer of the database over the service connection.
struct HealthSnapshot {
  bool is_connected = false;  // The database answered.
  std::string reason = {};    // Why not; without secrets.
  std::optional<std::uint32_t> active_connections =
      {};                                             // Client backends that this role can count.
  std::optional<base::Duration> age = {};             // Of the answer; none: it was never asked.
  std::optional<std::uint32_t> max_connections = {};  // The server's own setting.
  std::optional<std::uint32_t> usable = {};           // What pgweir may use of them.
  PoolSnapshot pool = {};
};

// One reactor's loop.
struct ReactorLiveness {
  std::string name;          // "data-0", "login-0".
  base::Duration silence{};  // Since its loop last turned.
};

enum class Readiness : std::uint8_t { Starting, Ready, Draining };

struct MetricsSnapshot {
  std::vector<obs::Sample> samples = {};  // obs::Metrics::collect(), and gauges taken on the spot.
  std::vector<obs::EventCount> events = {};  // obs::Log::counts().
};

// Implemented by the server. Each call comes from the gateway's thread while the others run, and
// returns at once with what is known: it asks no reactor and no database.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  virtual HealthSnapshot health() const = 0;
  virtual std::vector<ReactorLiveness> reactors() const = 0;
  virtual Readiness readiness() const = 0;
  virtual MetricsSnapshot metrics() const = 0;
};

}  // namespace pgweir::gateway

#include "server/snapshots.h"

#include "control/loop.h"

namespace pgweir::server {
namespace {

// Adds up the gauges of all pools; their names are proxy/route.cc's.
gateway::PoolSnapshot pool_of(const std::vector<obs::Sample>& samples) {
  gateway::PoolSnapshot pool;
  for (const obs::Sample& sample : samples) {
    const auto value = static_cast<std::uint32_t>(sample.value);
    if (sample.family->name == "pgweir_waiting") pool.waiting += value;
    if (sample.family->name != "pgweir_servers") continue;
    pool.open += value;
    if (sample.label_2 == "leased") pool.in_use += value;
    if (sample.label_2 == "idle") pool.idle += value;
    if (sample.label_2 == "connecting") pool.connecting += value;
    if (sample.label_2 == "closing") pool.closing += value;
  }
  return pool;
}

}  // namespace

gateway::HealthSnapshot Snapshots::health() const {
  const auto control = control_.snapshot();
  gateway::HealthSnapshot health{.pool = pool_of(metrics_.collect())};
  health.is_connected = !control->nodes.empty();
  for (const control::NodeSnapshot& node : control->nodes) {
    if (!node.is_answering) {
      health.is_connected = false;
      health.reason = node.reason.empty() ? "the database has not been asked yet" : node.reason;
    }
    if (node.limit != pool::kUnlimited) health.pool.limit += node.limit;
    if (node.client_backends) {
      health.active_connections = health.active_connections.value_or(0) + *node.client_backends;
      health.age = control::monotonic_now() - node.counted;
    }
    if (node.facts) {
      health.max_connections = health.max_connections.value_or(0) +
                               static_cast<std::uint32_t>(node.facts->max_connections);
    }
    if (node.allowance && node.allowance->limit != pool::kUnlimited) {
      health.usable = health.usable.value_or(0) + node.allowance->limit;
    }
  }
  if (control->nodes.empty()) {
    health.reason = "no configured database names a user that pgweir could ask as";
  }
  return health;
}

std::vector<gateway::ReactorLiveness> Snapshots::reactors() const {
  std::vector<gateway::ReactorLiveness> found;
  const base::Instant now = control::monotonic_now();
  for (const net::Reactor* reactor : reactors_) {
    found.push_back({.name = reactor->name(), .silence = now - reactor->last_turn()});
  }
  return found;
}

gateway::MetricsSnapshot Snapshots::metrics() const {
  return {.samples = metrics_.collect(), .events = log_.counts()};
}

}  // namespace pgweir::server

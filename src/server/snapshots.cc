#include "server/snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "loop/loop.h"
#include "obs/families.h"

namespace pgweir::server {
namespace {

// Adds up the gauges of all pools.
gateway::PoolSnapshot pool_of(const std::vector<obs::Sample>& samples) {
  gateway::PoolSnapshot pool;
  for (const obs::Sample& sample : samples) {
    const auto value = static_cast<std::uint32_t>(sample.value);
    if (sample.family == &obs::kWaiting) pool.waiting += value;
    if (sample.family != &obs::kServers) continue;
    pool.open += value;
    if (sample.label_2 == obs::kLeased) pool.in_use += value;
    if (sample.label_2 == obs::kIdle) pool.idle += value;
    if (sample.label_2 == obs::kConnecting) pool.connecting += value;
    if (sample.label_2 == obs::kClosing || sample.label_2 == obs::kLost) pool.closing += value;
  }
  return pool;
}

void add(std::optional<std::uint32_t>& sum, std::uint32_t part) { sum = sum.value_or(0) + part; }

// Why the node counts as not answering; empty if it does.
std::string problem_of(const control::NodeSnapshot& node, base::Instant now) {
  if (node.is_answering && now <= node.next_count_due) return {};
  if (node.is_answering) {
    return fmt::format("the server does not answer; its last word is {:.0f} s old",
                       std::chrono::duration<double>(now - node.counted).count());
  }
  return node.reason.empty() ? "pgweir has not looked at the database yet" : node.reason;
}

}  // namespace

gateway::HealthSnapshot health_of(const control::ControlSnapshot& control, std::uint32_t set_limit,
                                  base::Instant now) {
  gateway::HealthSnapshot health;
  health.is_connected = !control.nodes.empty();
  if (control.nodes.empty()) {
    health.reason = "no configured database names a user that pgweir could ask as";
  }
  for (const control::NodeSnapshot& node : control.nodes) {
    if (const std::string problem = problem_of(node, now); !problem.empty()) {
      health.is_connected = false;
      health.reason = control.nodes.size() > 1 ? node.node + ": " + problem : problem;
    }
    if (node.limit != pool::kUnlimited) add(health.pool.limit, node.limit);
    if (node.client_backends) {
      add(health.active_connections, *node.client_backends);
      health.age = std::max(health.age.value_or(base::Duration::zero()), now - node.counted);
    }
    if (node.facts) {
      add(health.max_connections, static_cast<std::uint32_t>(node.facts->max_connections));
    }
    if (node.usable != pool::kUnlimited) add(health.usable, node.usable);
  }
  // However many servers there are, it is one limit.
  if (set_limit != 0)
    health.pool.limit = std::min(health.pool.limit.value_or(set_limit), set_limit);
  return health;
}

gateway::HealthSnapshot Snapshots::health() const {
  auto health = health_of(*control_.snapshot(), set_limit_, loop::monotonic_now());
  const std::optional<std::uint32_t> limit = health.pool.limit;
  health.pool = pool_of(metrics_.collect());
  health.pool.limit = limit;
  return health;
}

std::vector<gateway::ReactorLiveness> Snapshots::reactors() const {
  std::vector<gateway::ReactorLiveness> found;
  const base::Instant now = loop::monotonic_now();
  for (const net::Reactor* reactor : reactors_) {
    found.push_back({.name = reactor->name(), .silence = now - reactor->last_turn()});
  }
  return found;
}

gateway::MetricsSnapshot Snapshots::metrics() const {
  return {.samples = metrics_.collect(), .events = log_.counts()};
}

}  // namespace pgweir::server

#include "proxy/placement.h"

#include <algorithm>

#include "proxy/catalog.h"
#include "proxy/route.h"

namespace pgweir::proxy {

Placement::Placement(const pool::Exchange& exchange, std::uint32_t relay_count,
                     std::uint32_t servers_per_relay)
    : exchange_(exchange), relay_count_(relay_count), servers_per_relay_(servers_per_relay) {
  ASSERT(relay_count >= 1 && relay_count <= pool::kReactorCountMax && servers_per_relay != 0);
}

// REQUIRES: mutex_ is held.
Placement::Pool& Placement::find(const std::string& database, const std::string& user) {
  const auto known = pools_.find({database, user});
  if (known != pools_.end()) return known->second;
  if (pools_.size() >= kRouteCountMax) return rest_;
  const auto home = static_cast<pool::ReactorIndex>(pools_.size() % relay_count_);
  return pools_.emplace(std::pair(database, user), Pool{.home = home}).first->second;
}

void Placement::expect_limit(const std::string& node) {
  const std::lock_guard lock(mutex_);
  unseen_nodes_.insert(node);
}

void Placement::note_limit(const std::string& node) {
  const std::lock_guard lock(mutex_);
  unseen_nodes_.erase(node);
}

bool Placement::is_unseen(const std::string& node) {
  const std::lock_guard lock(mutex_);
  return unseen_nodes_.contains(node);
}

pool::ReactorIndex Placement::home_of(const std::string& database, const std::string& user) {
  if (relay_count_ == 1) return 0;
  const std::lock_guard lock(mutex_);
  return find(database, user).home;
}

pool::ReactorIndex Placement::place(const Options& options, const DatabaseOptions& entry,
                                    const std::string& database, const std::string& user) {
  if (relay_count_ == 1) return 0;
  const std::uint32_t spread = spread_of(options, entry, user);
  const std::lock_guard lock(mutex_);
  Pool& pool = find(database, user);
  return (pool.home + pool.placed_count++ % spread) % relay_count_;
}

// Over how many Relays, as far as limits are known. Those who come before stay where they are, so
// they are spread as if there were none: in a large pool all would be on one Relay for good, while
// in a small one its few servers go from one to another.
std::uint32_t Placement::spread_of(const Options& options, const DatabaseOptions& entry,
                                   const std::string& user) {
  const UserOptions& user_options = user_or_defaults(options, user);
  std::uint32_t most = std::min({user_options.pool_size.value_or(entry.pool.server_count_max),
                                 entry.server_count_max, user_options.server_count_max});
  const std::string node = node_name(entry);
  for (const std::string& name : {server_level_name(node), std::string(kProcessLevel)}) {
    if (name != kProcessLevel && is_unseen(node)) continue;
    if (const auto level = exchange_.find_level(name))
      most = std::min(most, exchange_.limit(*level));
  }
  return std::clamp(most / servers_per_relay_, 1U, relay_count_);
}

}  // namespace pgweir::proxy

// What must hold between two calls of a Shard, in positive form.
#include <algorithm>

#include "pool/shard.h"

namespace pgweir::pool {

// The checks that cost a few comparisons, after every call.
void Shard::check_pool(const Pool& pool) const {
  // Nobody waits while a server of the pool is idle.
  ASSERT(pool.idle.empty() || pool.line.empty());
  // The counts agree with the lists as far as one look tells.
  ASSERT(pool.idle.empty() == (pool.idle_count == 0));
  ASSERT(pool.retiring_count <= pool.in_service_count());
  // A starved pool has waiters, and nothing is under way for one of them.
  ASSERT(!pool.is_starved() || pool.has_uncovered());
  // Only who lacks a permit asks for one.
  ASSERT(!pool.asked_level || (pool.is_starved() && pool.is_asking()));
  // A spare server is idle and above the minimum.
  ASSERT(pool.is_spare() == (pool.idle_count > 0 && pool.has_surplus()));
  // Each server, from the decision to open it until its end is seen, has a permit.
  ASSERT(exchange_.taken(pool.levels().front()) >= pool.counted());
  // What is due is known to the shard.
  ASSERT(next_sweep_ <= pool.sweep_at);
}

void Shard::check_invariants() const {
  // Permits are kept for a waiter that there is, and that gets on.
  ASSERT(keeper_ == nullptr || !is_keep_over());
  ASSERT(keeper_ != nullptr || parts_.empty());
  for (const auto& pool : pools_) {
    check_pool(*pool);
    check_pool_thoroughly(*pool);
  }
}

void Shard::check_pool_thoroughly(const Pool& pool) const {
  std::array<std::uint32_t, 5> by_state{};
  for (const Server* server = pool.servers.front(); server != nullptr;
       server = pool.servers.next(*server)) {
    ASSERT(server->pool_ == &pool);
    ++by_state[static_cast<std::size_t>(server->state_)];
  }
  const auto count = [&](ServerState state) { return by_state[static_cast<std::size_t>(state)]; };
  // Each server is counted once, in its state.
  ASSERT(count(ServerState::Outside) == 0);
  ASSERT(count(ServerState::Connecting) == pool.connecting_count);
  ASSERT(count(ServerState::Idle) == pool.idle_count);
  ASSERT(count(ServerState::Leased) == pool.leased_count);
  ASSERT(count(ServerState::Closing) == pool.closing_count);
  // Every waiter is in the line of the pool that it names.
  std::uint32_t waiting = 0;
  for (const Waiter* waiter = pool.line.oldest(); waiter != nullptr;
       waiter = pool.line.next(*waiter)) {
    ASSERT(waiter->is_waiting() && waiter->pool_ == &pool);
    ++waiting;
  }
  ASSERT(waiting == pool.line.count());
}

}  // namespace pgweir::pool

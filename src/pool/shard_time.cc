// Time: waiters whose time is up, servers that are old or unused, logins to try again. Each pool
// has one instant at which something may be due; between them no transaction does any timer work.
#include <algorithm>
#include <utility>

#include "pool/shard.h"

namespace pgweir::pool {

void Shard::handle_time(base::Instant now) {
  while (Waiter* waiter = deadlines_.take_due(now)) {
    Pool& pool = *waiter->pool_;
    pool.line.remove(*waiter);
    refuse(*waiter, RefuseReason::Timeout);
    refresh_starved(pool);
  }
  while (Waiter* waiter = notices_.take_due(now)) notified_.push_back(*waiter);

  if (now < next_sweep_) return;
  next_sweep_ = base::kNever;
  for (auto& pool : pools_)
    if (pool->sweep_at <= now) sweep(*pool, now);
  // What was kept and is free now; serving it may let go of more.
  while (std::exchange(has_let_go_, false)) serve_starved(now);
  next_sweep_ = base::kNever;
  for (const auto& pool : pools_) next_sweep_ = std::min(next_sweep_, pool->sweep_at);
}

base::Instant Shard::next_deadline() const {
  return std::min({deadlines_.next(), notices_.next(), next_sweep_});
}

void Shard::schedule(Pool& pool, base::Instant when) {
  pool.sweep_at = std::min(pool.sweep_at, when);
  next_sweep_ = std::min(next_sweep_, when);
}

void Shard::sweep(Pool& pool, base::Instant now) {
  pool.sweep_at = base::kNever;
  retire_expired(pool, now);
  close_long_idle(pool, now);
  open_more(pool, now);
  if (pool.is_asking()) ask_others(pool, others_, now);
  // No permit for a successor: then without one, while nobody waits for the old one.
  if (pool.opening_count() == 0 && pool.backoff.until() <= now) close_idle_retiring(pool);
  ASSERT(pool.sweep_at > now);
  check_pool(pool);
}

void Shard::retire_expired(Pool& pool, base::Instant now) {
  for (Server* server = pool.servers.front(); server != nullptr;
       server = pool.servers.next(*server)) {
    if (!is_in_service(*server) || server->tenure_.expires_at == base::kNever) continue;
    if (server->tenure_.expires_at > now) {
      schedule(pool, server->tenure_.expires_at);
      continue;
    }
    retire(*server, pool, now);
    if (is_in_service(*server) && server->tenure_.overdue_at > now)
      schedule(pool, server->tenure_.overdue_at);
  }
}

// An idle server beside another idle one goes at once; any other waits for a successor, unless it
// is not lent again anyway.
void Shard::retire(Server& server, Pool& pool, base::Instant now) {
  const bool is_idle = server.state_ == ServerState::Idle;
  const bool is_overdue = server.tenure_.overdue_at <= now;
  if (is_idle && (is_overdue || (pool.idle_count > 1 && pool.has_surplus())))
    return order_close(server, CloseReason::Lifetime);
  if (is_overdue || server.generation_ != pool.generation) return;
  if (server.base::ListHook<InRetiring>::is_linked()) return;
  pool.retiring.push_back(server);
  ++pool.retiring_count;
  if (!is_idle) return;
  server.base::ListHook<InIdle>::unlink();
  pool.idle.push_front(server);  // Lent last.
}

void Shard::close_idle_retiring(Pool& pool) {
  Server* server = pool.retiring.front();
  while (server != nullptr) {
    Server* next = pool.retiring.next(*server);
    if (server->state_ == ServerState::Idle) order_close(*server, CloseReason::Lifetime);
    server = next;
  }
}

void Shard::close_long_idle(Pool& pool, base::Instant now) {
  const base::Duration idle_max = pool.options().server_idle_max;
  if (idle_max == base::Duration::zero()) return;
  Server* server = pool.idle.front();
  while (server != nullptr && pool.has_surplus()) {
    Server* next = pool.idle.next(*server);
    if (server->tenure_.idle_since + idle_max <= now)
      order_close(*server, CloseReason::Idle);
    else
      schedule(pool, server->tenure_.idle_since + idle_max);
    server = next;
  }
}

}  // namespace pgweir::pool

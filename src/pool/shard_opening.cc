// Opening: which pool may have one more server, and what follows from a login's success or failure.
#include <algorithm>
#include <utility>

#include "pool/shard.h"

namespace pgweir::pool {
namespace {

// How soon a minimum or a successor that found no permit is tried again. Nobody waits for it.
constexpr base::Duration kRetryAfter = std::chrono::seconds(1);

constexpr double kLifetimeJitter = 0.25;

}  // namespace

void Shard::open_more(Pool& pool, base::Instant now) {
  looked_at_ = now;
  open_wanted(pool, now);
  begin_asking(pool, now);
}

// Orders what the pool wants and may have. Afterwards the pool is starved exactly when waiters lack
// a permit and no idle server of this reactor can give one up.
void Shard::open_wanted(Pool& pool, base::Instant now) {
  const std::uint32_t parallel_max = pool.backoff.parallel_max(pool.options(), now);
  if (pool.wanted_count() > pool.covered_count() && parallel_max == 0)
    schedule(pool, pool.backoff.until());

  while (pool.covered_count() < std::min(pool.wanted_count(), parallel_max)) {
    if (has_to_wait_for_reserve(pool, now)) break;
    const Take take = has_room(pool) ? exchange_.try_take(pool.levels()) : Take{};
    wake_others(take.to_wake);
    if (take.is_taken) {
      order_opening(pool);
      continue;
    }
    if (!pool.has_uncovered()) {
      schedule(pool, now + kRetryAfter);
      break;
    }
    if (!pool.is_starved()) {
      starve(pool);
      // What came free, or was left to somebody, before the announcement woke nobody: once more.
      if (exchange_.is_shared()) continue;
    }
    Server* spare = coldest_spare_for(pool);
    if (spare == nullptr) return;
    if (!is_helped_by(pool, *spare->pool_)) keep_for(pool);
    order_close(*spare, CloseReason::Evicted);
  }
  feed(pool);
}

// The slots beyond server_count_max are for waiters who have waited for reserve_after.
bool Shard::has_to_wait_for_reserve(Pool& pool, base::Instant now) {
  const Options& options = pool.options();
  if (exchange_.taken(pool.levels().front()) < options.server_count_max) return false;
  if (options.server_count_reserve == 0) return false;  // The level's limit says no by itself.
  if (!pool.has_uncovered()) return true;
  const base::Instant due = pool.oldest_uncovered().since() + options.reserve_after;
  if (due <= now) return false;
  schedule(pool, due);
  return true;
}

void Shard::order_opening(Pool& pool) {
  if (pool.untold_count++ == 0) orders_.push_back(pool);
  if (&pool == keeper_) let_go();
}

// Permits came free, or a server that may give one up: the longest waiter that can have one is
// next, whatever its pool.
void Shard::serve_starved(base::Instant now) {
  looked_at_ = now;
  while (Pool* next = oldest_servable()) open_more(*next, now);
  if (others_ != 0) move_level_asks(now);
}

Pool* Shard::oldest_servable() {
  Pool* oldest = nullptr;
  for (Pool* pool = starved_.front(); pool != nullptr; pool = starved_.next(*pool)) {
    if (oldest != nullptr && oldest->oldest_uncovered().since() <= pool->oldest_uncovered().since())
      continue;
    if (has_room(*pool) || coldest_spare_for(*pool) != nullptr) oldest = pool;
  }
  return oldest;
}

void Shard::refresh_starved(Pool& pool) {
  if (!pool.has_uncovered()) feed(pool);
  if (&pool == keeper_ && is_keep_over()) let_go();
  refresh_asks(pool);
}

// REQUIRES: the pool is not starved yet.
void Shard::starve(Pool& pool) {
  starved_.push_back(pool);
  pool.has_asked_starved = false;  // What it asked for at a level was withdrawn when it was fed.
  if (exchange_.is_shared()) announce_starved(pool);
}

// Something is under way for every waiter of the pool that may have it.
void Shard::feed(Pool& pool) {
  if (pool.is_starved()) {
    pool.base::ListHook<InStarved>::unlink();
    if (exchange_.is_shared()) announce_starved(pool);
    ask_no_more_at_level(pool);
  }
  if (&pool == keeper_ && is_keep_over()) let_go();
}

// Tells other reactors, at each level of a pool that changed, whether this one waits for a permit.
void Shard::announce_starved(const Pool& changed) {
  for (const LevelId level : changed.levels()) {
    const Pool* pool = starved_.front();
    while (pool != nullptr && !contains(pool->levels(), level)) pool = starved_.next(*pool);
    if (pool == nullptr)
      exchange_.withdraw(level, reactor_);
    else
      exchange_.announce(level, reactor_);
  }
}

void Shard::handle_opening(Server& server, base::PoolId id, base::Instant now) {
  Pool& pool = at(id);
  ASSERT(server.state_ == ServerState::Outside);
  ASSERT(pool.ordered_count > 0);
  --pool.ordered_count;
  ++pool.connecting_count;
  server.pool_ = &pool;
  server.pool_id_ = id;
  server.state_ = ServerState::Connecting;
  server.ordered_at_ = now;
  server.generation_ = pool.generation;
  pool.servers.push_back(server);
  check_pool(pool);
}

Waiter* Shard::handle_opened(Server& server, base::Instant now) {
  ASSERT(server.state_ == ServerState::Connecting);
  Pool& pool = *server.pool_;
  --pool.connecting_count;
  ++pool.leased_count;
  server.state_ = ServerState::Leased;
  server.tenure_.opened_at = server.tenure_.idle_since = now;
  server.tenure_.expires_at = server.tenure_.overdue_at = base::kNever;
  if (pool.options().server_lifetime != base::Duration::zero()) {
    const base::Duration lifetime = rng_.jitter(pool.options().server_lifetime, kLifetimeJitter);
    server.tenure_.expires_at = now + lifetime;
    server.tenure_.overdue_at = server.tenure_.expires_at + lifetime / 10;
    schedule(pool, server.tenure_.expires_at);
  }
  pool.login_time = now - server.ordered_at_;
  pool.backoff.succeed();
  pool.last_failure.reset();

  Waiter* next = pass_on(server, now);
  relieve_retiring(server, pool, now);
  open_more(pool, now);
  check_pool(pool);
  return next;
}

// A successor arrived. While waiters remain it is one more for them; else the old one may go.
void Shard::relieve_retiring(Server& successor, Pool& pool, base::Instant now) {
  Server* old = pool.retiring.front();
  if (old == nullptr || !pool.line.empty()) return;
  if (old->state_ == ServerState::Idle) {
    // Nobody has used it either: a pool at rest empties, however short its servers live.
    if (successor.state_ == ServerState::Idle)
      successor.tenure_.idle_since = old->tenure_.idle_since;
    schedule(pool, base::deadline(old->tenure_.idle_since, pool.options().server_idle_max));
    return order_close(*old, CloseReason::Lifetime);
  }
  stop_retiring(*old);
  old->tenure_.overdue_at = now;
}

void Shard::handle_open_failed(Server& server, Failure failure, base::Instant now) {
  ASSERT(server.state_ == ServerState::Connecting);
  Pool& pool = *server.pool_;
  pool.backoff.fail(pool.options(), rng_, now);
  pool.last_failure = std::make_shared<const Failure>(std::move(failure));
  begin_close(server, CloseReason::Requested);
  if (pool.last_failure->kind == Failure::Kind::Permanent) refuse_all(pool);
  open_more(pool, now);
  check_pool(pool);
}

void Shard::refuse_all(Pool& pool) {
  while (Waiter* waiter = pool.line.pop()) refuse(*waiter, RefuseReason::LoginFailed);
  refresh_starved(pool);
}

}  // namespace pgweir::pool

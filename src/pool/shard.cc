// Lending: the hot path, and the decisions on their way out. Opening, closing and time have files
// of their own.
#include "pool/shard.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace pgweir::pool {
namespace {

std::uint32_t limit_of(const Options& options) {
  return options.server_count_max > kUnlimited - options.server_count_reserve
             ? kUnlimited
             : options.server_count_max + options.server_count_reserve;
}

// Nobody can be served by a pool that the server refuses for good: the cached reason is the answer
// until the next attempt is due.
bool is_hopeless(const Pool& pool, base::Instant now) {
  return pool.last_failure != nullptr && pool.last_failure->kind == Failure::Kind::Permanent &&
         pool.in_service_count() == 0 && now < pool.backoff.until();
}

}  // namespace

Shard::Shard(Exchange& exchange, std::uint64_t seed, ReactorIndex reactor,
             std::uint32_t reactor_count)
    : exchange_(exchange),
      rng_(seed),
      reactor_(reactor),
      others_((mask_of(reactor_count) - 1) & ~mask_of(reactor)) {
  ASSERT(reactor < reactor_count && reactor_count <= kReactorCountMax);
}

base::PoolId Shard::add_pool(PoolSpec spec, base::Instant now) {
  ASSERT(!spec.levels.empty());
  auto pool = std::make_unique<Pool>();
  pool->id = base::PoolId{pool_count()};
  pool->spec = std::move(spec);
  pools_.push_back(std::move(pool));
  Pool& added = *pools_.back();
  exchange_.set_limit(added.levels().front(), limit_of(added.options()));
  open_more(added, now);
  check_pool(added);
  return added.id;
}

void Shard::set_options(base::PoolId id, const Options& options, base::Instant now) {
  Pool& pool = at(id);
  pool.spec.options = options;
  wake_others(exchange_.set_limit(pool.levels().front(), limit_of(options)));
  refresh_spare(pool);
  schedule(pool, now);
  handle_limits_changed(now);
}

Server* Shard::acquire(Waiter& waiter, base::PoolId id, base::Instant now) {
  ASSERT(waiter.state_ == Waiter::State::Resting);
  Server* server = take_idle(at(id));
  if (server == nullptr) enqueue(waiter, at(id), now);
  return server;
}

Server* Shard::acquire_first(Waiter& waiter, base::PoolId id, base::Instant now) {
  ASSERT(waiter.state_ == Waiter::State::Resting);
  Server* server = take_idle(at(id));
  if (server == nullptr) enqueue_first(waiter, at(id), now);
  return server;
}

Server* Shard::take_idle(Pool& pool) {
  Server* server = pool.idle.pop_back();
  if (server == nullptr) return nullptr;
  server->state_ = ServerState::Leased;
  --pool.idle_count;
  ++pool.leased_count;
  refresh_spare(pool);
  check_pool(pool);
  return server;
}

Waiter* Shard::release(Server& server, base::Instant now) {
  ASSERT(server.state_ == ServerState::Leased);
  const Pool& pool = *server.pool_;
  Waiter* next = pass_on(server, now);
  check_pool(pool);
  return next;
}

void Shard::leave(Waiter& waiter) {
  switch (waiter.state_) {
    case Waiter::State::Resting: return;
    case Waiter::State::Refused: settle(waiter); return;
    case Waiter::State::Waiting: break;
  }
  Pool& pool = *waiter.pool_;
  pool.line.remove(waiter);
  settle(waiter);
  refresh_starved(pool);
  check_pool(pool);
}

void Shard::enqueue(Waiter& waiter, Pool& pool, base::Instant now) {
  waiter.since_ = now;
  waiter.pool_ = &pool;
  if (is_hopeless(pool, now)) return refuse(waiter, RefuseReason::LoginFailed);
  if (pool.line.count() >= pool.options().waiter_count_max)
    return refuse(waiter, RefuseReason::QueueFull);

  waiter.state_ = Waiter::State::Waiting;
  pool.line.push(waiter);
  deadlines_.start(waiter, pool.options().wait_max);
  notices_.start(waiter, pool.options().wait_notice_after);
  // A starved pool has asked for all it can already.
  if (!pool.is_starved()) open_more(pool, now);
  check_pool(pool);
}

void Shard::enqueue_first(Waiter& waiter, Pool& pool, base::Instant now) {
  waiter.since_ = before_all_waiters(now);
  waiter.pool_ = &pool;
  if (is_hopeless(pool, now)) return refuse(waiter, RefuseReason::LoginFailed);
  waiter.state_ = Waiter::State::Waiting;
  pool.line.push_first(waiter);
  if (!pool.is_starved()) open_more(pool, now);
  check_pool(pool);
}

// Who waits longest is next, in its pool and over all of them: this is longer.
base::Instant Shard::before_all_waiters(base::Instant now) const {
  base::Instant oldest = now;
  for (const auto& pool : pools_)
    if (const Waiter* waiter = pool->line.oldest()) oldest = std::min(oldest, waiter->since());
  return oldest - std::chrono::nanoseconds(1);
}

// What becomes of a clean server that nobody holds.
Waiter* Shard::pass_on(Server& server, base::Instant now) {
  Pool& pool = *server.pool_;
  // With this one within reach, a waiter may have use for an idle one beside it.
  if (!starved_.empty() && !spare_.empty()) serve_starved(now);
  if (const auto reason = reason_to_close(server, pool, now)) {
    order_close(server, *reason);
    open_more(pool, now);
    if (keeper_ != nullptr) serve_starved(now);
    return nullptr;
  }
  if (is_asked_by_others() && yield_to_others(server)) {
    open_more(pool, now);
    return nullptr;
  }
  Waiter* next = pool.line.pop();
  if (next == nullptr) {
    rest(server, pool, now);
    return nullptr;
  }
  settle(*next);
  refresh_starved(pool);
  return next;
}

std::optional<CloseReason> Shard::reason_to_close(const Server& server, Pool& pool,
                                                  base::Instant now) {
  if (server.generation_ != pool.generation) return CloseReason::Recycled;
  if (is_over_limit_ && is_over(pool)) return CloseReason::Limit;
  if (now >= server.tenure_.overdue_at) return CloseReason::Lifetime;
  if (!starved_.empty() && should_yield(pool)) return CloseReason::Evicted;
  const bool is_retiring = server.base::ListHook<InRetiring>::is_linked();
  // Without a successor on its way it would stay for as long as nobody comes.
  if (is_retiring && pool.line.empty() && pool.opening_count() == 0) return CloseReason::Lifetime;
  return std::nullopt;
}

void Shard::rest(Server& server, Pool& pool, base::Instant now) {
  server.state_ = ServerState::Idle;
  server.tenure_.idle_since = now;
  --pool.leased_count;
  ++pool.idle_count;
  pool.idle.push_back(server);
  refresh_spare(pool);
  schedule(pool, base::deadline(now, pool.options().server_idle_max));
}

// The waiter waits no longer, whatever came of it.
void Shard::settle(Waiter& waiter) {
  waiter.base::ListHook<InLine>::unlink();
  waiter.base::ListHook<InDeadlines>::unlink();
  waiter.base::ListHook<InNotices>::unlink();
  waiter.state_ = Waiter::State::Resting;
  waiter.pool_ = nullptr;
}

// REQUIRES: the waiter is in no line, and its pool is set.
void Shard::refuse(Waiter& waiter, RefuseReason reason) {
  waiter.base::ListHook<InDeadlines>::unlink();
  waiter.base::ListHook<InNotices>::unlink();
  waiter.state_ = Waiter::State::Refused;
  waiter.refusal_ = reason;
  refusals_.push_back(waiter);
}

std::optional<Decision> Shard::take_decision() {
  if (Server* server = closes_.pop_front()) return Close{server, server->close_reason_};
  if (Pool* pool = orders_.front()) {
    ++pool->ordered_count;
    if (--pool->untold_count == 0) orders_.pop_front();
    return Open{pool->id};
  }
  return take_notice();
}

// Decisions about waiters and other reactors.
std::optional<Decision> Shard::take_notice() {
  if (Waiter* waiter = refusals_.front()) {
    Refuse refusal{waiter, waiter->refusal_, waiter->pool_->last_failure};
    settle(*waiter);
    return refusal;
  }
  if (Waiter* waiter = notified_.pop_front()) return Notify{waiter};
  if (auto gift = take_gift()) return gift;
  if (to_wake_ == 0) return std::nullopt;
  const auto reactor = static_cast<ReactorIndex>(std::countr_zero(to_wake_));
  to_wake_ &= ~mask_of(reactor);
  return Wake{reactor};
}

PoolCounts Shard::counts(base::PoolId id) const {
  const Pool& pool = at(id);
  PoolCounts counts{.connecting = pool.opening_count(),
                    .idle = pool.idle_count,
                    .leased = pool.leased_count,
                    .closing = pool.closing_count,
                    .lost = pool.lost_count,
                    .waiting = pool.line.count(),
                    .oldest_since = std::nullopt};
  if (const Waiter* oldest = pool.line.oldest()) counts.oldest_since = oldest->since();
  return counts;
}

}  // namespace pgweir::pool

// Closing: which server must go for whom, and where permits go when its end is seen.
//
// A closing server's permit is promised (claimed) to the longest starved waiter that it helps. The
// claim keeps a second server from being closed for the same waiter; it is no right: when the
// permit returns, whoever waits longest then has it.
#include <algorithm>
#include <utility>

#include "pool/shard.h"

namespace pgweir::pool {
void Shard::recycle(base::PoolId id, base::Instant now) {
  Pool& pool = at(id);
  ++pool.generation;
  // What is not lent again needs no successor.
  while (Server* server = pool.retiring.front()) stop_retiring(*server);
  while (Server* server = pool.idle.front()) order_close(*server, CloseReason::Recycled);
  open_more(pool, now);
  check_pool(pool);
}

void Shard::handle_closing(Server& server, base::Instant now) {
  ASSERT(server.state_ == ServerState::Idle || server.state_ == ServerState::Leased);
  Pool& pool = *server.pool_;
  begin_close(server, CloseReason::Requested);
  open_more(pool, now);
  check_pool(pool);
}

void Shard::handle_ended(Server& server, base::Instant now) {
  ASSERT(server.state_ != ServerState::Outside && server.state_ != ServerState::Connecting);
  Pool& pool = *server.pool_;
  if (server.state_ != ServerState::Closing) begin_close(server, CloseReason::Requested);
  wake_others(exchange_.give_back(pool.levels(), true));
  forget(server);
  if (is_over_limit_) shrink_to_limits();
  serve_starved(now);
  open_more(pool, now);
  check_pool(pool);
}

void Shard::handle_lost(Server& server, base::Instant now) {
  ASSERT(server.state_ != ServerState::Outside && server.state_ != ServerState::Connecting);
  Pool& pool = *server.pool_;
  if (server.state_ != ServerState::Closing) begin_close(server, CloseReason::Requested);
  exchange_.unmark_leaving(pool.levels());
  ++pool.lost_count;
  const bool is_part = server.base::ListHook<InParts>::is_linked();
  Pool* claimant = is_part ? keeper_ : server.claimed_by_;
  forget(server);
  // Its permit does not come soon: another server has to go for the one who counted on it.
  if (claimant != nullptr) open_more(*claimant, now);
  check_pool(pool);
}

void Shard::handle_lost_ended(base::PoolId id, base::Instant now) {
  Pool& pool = at(id);
  ASSERT(pool.lost_count > 0);
  --pool.lost_count;
  wake_others(exchange_.give_back(pool.levels(), false));
  if (is_over_limit_) shrink_to_limits();
  serve_starved(now);
  open_more(pool, now);
  check_pool(pool);
}

void Shard::handle_limits_changed(base::Instant now) {
  shrink_to_limits();
  serve_starved(now);
  for (auto& pool : pools_) open_more(*pool, now);
}

void Shard::handle_wake(base::Instant now) {
  serve_starved(now);
  help_others(now);
}

void Shard::order_close(Server& server, CloseReason reason) {
  begin_close(server, reason);
  closes_.push_back(server);
}

void Shard::begin_close(Server& server, CloseReason reason) {
  Pool& pool = *server.pool_;
  if (server.state_ == ServerState::Connecting) --pool.connecting_count;
  if (server.state_ == ServerState::Leased) --pool.leased_count;
  if (server.state_ == ServerState::Idle) --pool.idle_count;
  server.base::ListHook<InIdle>::unlink();
  stop_retiring(server);
  server.state_ = ServerState::Closing;
  server.close_reason_ = reason;
  ++pool.closing_count;
  refresh_spare(pool);

  if (!is_over(pool)) claim(server);
  exchange_.mark_leaving(pool.levels());
}

// Promises the closing server's permit. One that is a part only leaves its waiter uncovered: the
// server that frees the last level is the one that counts.
void Shard::claim(Server& server) {
  Pool& pool = *server.pool_;
  const bool is_part =
      keeper_ != nullptr && keeper_->is_starved() && is_helped_in_part_by(*keeper_, pool);
  Pool* claimant = is_part ? keeper_ : oldest_starved_helped_by(pool);
  const bool is_last = claimant != nullptr && is_helped_by(*claimant, pool);
  if (is_part) parts_.push_back(server);
  if (!is_last) return;
  server.claimed_by_ = claimant;
  ++claimant->claim_count;
  refresh_starved(*claimant);
}

// The server is the owner's alone again.
void Shard::forget(Server& server) {
  --server.pool_->closing_count;
  settle_claim(server);
  server.base::ListHook<InPool>::unlink();
  server.base::ListHook<InClosing>::unlink();
  server.base::ListHook<InParts>::unlink();
  server.pool_ = nullptr;
  server.state_ = ServerState::Outside;
}

void Shard::settle_claim(Server& server) {
  Pool* claimant = std::exchange(server.claimed_by_, nullptr);
  if (claimant == nullptr) return;
  --claimant->claim_count;
  if (claimant->has_uncovered() && !claimant->is_starved()) starve(*claimant);
}

// Whether a server of this pool that nobody holds must go for a longer waiter of another pool. One
// that is helped in part only has the rest kept for it from here on.
bool Shard::should_yield(Pool& pool) {
  const Waiter* own = pool.line.oldest();
  Pool* in_part = nullptr;
  for (Pool* other = starved_.front(); other != nullptr; other = starved_.next(*other)) {
    if (other == &pool) continue;
    const base::Instant since = other->oldest_uncovered().since();
    if (own != nullptr && own->since() <= since + kPatienceLogins * other->login_time) continue;
    if (is_helped_by(*other, pool)) return true;
    if (in_part != nullptr && in_part->oldest_uncovered().since() <= since) continue;
    if (is_helped_in_part_by(*other, pool) && may_keep(*other)) in_part = other;
  }
  if (in_part != nullptr) keep_for(*in_part);
  return in_part != nullptr;
}

Pool* Shard::oldest_starved_helped_by(const Pool& giver) {
  Pool* oldest = nullptr;
  for (Pool* pool = starved_.front(); pool != nullptr; pool = starved_.next(*pool)) {
    if (oldest != nullptr && oldest->oldest_uncovered().since() <= pool->oldest_uncovered().since())
      continue;
    if (is_helped_by(*pool, giver)) oldest = pool;
  }
  return oldest;
}

bool Shard::is_over(const Pool& pool) const {
  for (const LevelId level : pool.levels())
    if (exchange_.is_over(level)) return true;
  return false;
}

// Closes idle servers of pools that have too many, those above a minimum first; the rest follows on
// release.
void Shard::shrink_to_limits() {
  for (const bool is_minimum_kept : {true, false}) {
    for (auto& pool : pools_) {
      while (pool->idle_count > 0 && (pool->has_surplus() || !is_minimum_kept) && is_over(*pool))
        order_close(*pool->idle.front(), CloseReason::Limit);
    }
  }
  is_over_limit_ = std::any_of(pools_.begin(), pools_.end(),
                               [this](const auto& pool) { return is_over(*pool); });
}

void Shard::refresh_spare(Pool& pool) {
  const bool is_spare = pool.idle_count > 0 && pool.has_surplus();
  if (is_spare == pool.is_spare()) return;
  if (is_spare)
    spare_.push_back(pool);
  else
    pool.base::ListHook<InSpare>::unlink();
}

void Shard::stop_retiring(Server& server) {
  auto& hook = static_cast<base::ListHook<InRetiring>&>(server);
  if (!hook.is_linked()) return;
  hook.unlink();
  --server.pool_->retiring_count;
}

}  // namespace pgweir::pool

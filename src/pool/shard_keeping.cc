// Keeping: a waiter whose full levels no single server frees. Its role is full because of one pool,
// its database because of another; it gets a permit of the one first and keeps it until it gets one
// of the other.
//
// Levels are kept narrowest first, and the permits of a wide level never while a narrower one
// lacks, so that nobody outside the narrow one waits for it. One pool at a time keeps, of those
// that have to the one whose waiter is older: two cannot wait for each other. Nothing is taken from
// the exchange meanwhile: what is kept is only not given to younger waiters of this shard. What
// waiters elsewhere lack is left to them in shard_leaving.cc.
#include <algorithm>

#include "pool/shard.h"

namespace pgweir::pool {
namespace {

// A server of it can be closed for others: now, or when it is released or has ended.
bool can_give(const Pool& pool) {
  return pool.is_spare() || pool.counted() > pool.idle_count + pool.lost_count;
}

}  // namespace

// A permit of every level is there, and kept for nobody else nor left to anybody.
bool Shard::has_room(const Pool& pool) const {
  const Levels levels = pool.levels();
  return std::none_of(levels.begin(), levels.end(), [&](LevelId level) {
    return exchange_.is_full(level) || is_kept_from(pool, level) || is_left_by(pool, level);
  });
}

// Somebody has to give up a permit of this level for the pool's next waiter.
bool Shard::is_lacking(const Pool& pool, LevelId level) const {
  if (is_coming(pool, level)) return false;
  return exchange_.is_full(level) || is_kept_from(pool, level) || is_left_by(pool, level);
}

bool Shard::is_coming(const Pool& pool, LevelId level) const {
  if (&pool != keeper_) return false;
  for (const Server* part = parts_.front(); part != nullptr; part = parts_.next(*part))
    if (contains(part->pool_->levels(), level)) return true;
  return false;
}

// The last permit of this level is kept for a longer waiter.
bool Shard::is_kept_from(const Pool& pool, LevelId level) const {
  if (keeper_ == nullptr || keeper_ == &pool) return false;
  if (!contains(keeper_->levels(), level) || goes_before_keeper(pool)) return false;
  if (exchange_.taken(level) + std::uint64_t{1} < exchange_.limit(level)) return false;
  for (const LevelId kept : keeper_->levels()) {
    if (kept == level) return !is_coming(*keeper_, level);
    if (is_lacking(*keeper_, kept)) return false;
  }
  return false;
}

std::optional<LevelId> Shard::narrowest_lacking(const Pool& pool) const {
  for (const LevelId level : pool.levels())
    if (is_lacking(pool, level)) return level;
  return std::nullopt;
}

// Every level that the one lacks has the other in it.
bool Shard::is_helped_by(const Pool& starved, const Pool& giver) const {
  if (!narrowest_lacking(starved)) return false;
  for (const LevelId level : starved.levels())
    if (is_lacking(starved, level) && !contains(giver.levels(), level)) return false;
  return true;
}

bool Shard::is_helped_in_part_by(const Pool& starved, const Pool& giver) const {
  const auto level = narrowest_lacking(starved);
  return level && contains(giver.levels(), *level);
}

// It is nobody's turn who waits longer, and none of the levels that it lacks is beyond reach:
// permits are not kept for a waiter who cannot get the rest.
bool Shard::may_keep(const Pool& starved) const {
  if (keeper_ != nullptr && keeper_ != &starved && !goes_before_keeper(starved)) return false;
  for (const LevelId level : starved.levels())
    if (is_lacking(starved, level) && !is_attainable(level)) return false;
  return true;
}

bool Shard::is_attainable(LevelId level) const {
  return std::any_of(pools_.begin(), pools_.end(), [&](const auto& pool) {
    return contains(pool->levels(), level) && can_give(*pool);
  });
}

bool Shard::goes_before_keeper(const Pool& pool) const {
  return pool.has_uncovered() && pool.oldest_uncovered().since() < kept_since_;
}

// The longest idle server whose permits let the pool open one; where there is none, the longest
// idle one that frees the narrowest level, if the pool may keep that. Or nullptr.
Server* Shard::coldest_spare_for(const Pool& starved) {
  Server* coldest = nullptr;
  Server* coldest_part = nullptr;
  const auto keep_colder = [](Server*& kept, Server* candidate) {
    if (kept == nullptr || candidate->tenure_.idle_since < kept->tenure_.idle_since)
      kept = candidate;
  };
  for (Pool* giver = spare_.front(); giver != nullptr; giver = spare_.next(*giver)) {
    if (is_helped_by(starved, *giver))
      keep_colder(coldest, giver->idle.front());
    else if (is_helped_in_part_by(starved, *giver))
      keep_colder(coldest_part, giver->idle.front());
  }
  if (coldest != nullptr) return coldest;
  return coldest_part != nullptr && may_keep(starved) ? coldest_part : nullptr;
}

void Shard::keep_for(Pool& pool) {
  if (keeper_ == &pool) return;
  if (keeper_ != nullptr) let_go();
  keeper_ = &pool;
  kept_since_ = pool.oldest_uncovered().since();
}

// The waiter that permits are kept for waits no longer, or nothing more can be done for it now.
bool Shard::is_keep_over() const {
  const Waiter* waiter = keeper_->line.oldest_after(keeper_->opening_count());
  if (waiter == nullptr || waiter->since() > kept_since_) return true;
  return !keeper_->is_starved() && keeper_->claim_count == 0;
}

// Others may have what was kept, and may keep: handle_time() tells them, at once.
void Shard::let_go() {
  keeper_ = nullptr;
  while (parts_.pop_front() != nullptr) {
  }
  has_let_go_ = true;
  next_sweep_ = base::Instant{};
}

}  // namespace pgweir::pool

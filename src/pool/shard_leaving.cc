// Leaving: a free permit belongs to whoever lacks it and waits longest, on whichever reactor. A
// pool whose waiter is younger than one elsewhere that asks for a permit of this level leaves it to
// that one. Otherwise a pool that always has waiters would take what a server was closed for, each
// time before the letter has reached the reactor that asked.
//
// Who leaves a permit is starved like anybody who finds none: it announces itself, looks once more,
// and is woken. By who asks no longer, too, or for a younger waiter than before: it makes that
// known, then looks who has announced itself. Whichever comes second sees the other.
//
// Nothing is left to a reactor that has not asked again in time, nor at a level that the asker does
// not lack: it asks at the next one then. The pool's own level is nobody's to leave: with its
// servers go its permits (shard_giving.cc).
#include <algorithm>
#include <utility>

#include "pool/shard.h"

namespace pgweir::pool {
namespace {

AskedSince only(base::Instant when) {
  AskedSince since;
  since.fill(base::kNever);
  since.front() = when;
  return since;
}

}  // namespace

// The last free permits of this level are for longer waiters on other reactors.
bool Shard::is_left_by(const Pool& pool, LevelId level) const {
  if (others_ == 0 || level == pool.levels().front()) return false;
  const AskBoard& asks = exchange_.asks(level);
  if ((asks.asking() & others_) == 0) return false;
  const base::Instant since = pool.has_uncovered() ? pool.oldest_uncovered().since() : base::kNever;
  // Who asks again in time does so after kAskAgainAfter, if it is not late.
  const base::Instant asked_after = looked_at_ - 2 * kAskAgainAfter;
  const std::uint32_t longer = asks.count_before(since - kBarging, reactor_, asked_after);
  return longer != 0 && longer >= exchange_.free(level);
}

// Of this reactor's waiters; kNever: none asks there.
base::Instant Shard::oldest_asking_at(LevelId level) const {
  base::Instant oldest = base::kNever;
  for (const Pool* pool = starved_.front(); pool != nullptr; pool = starved_.next(*pool))
    if (pool->asked_level == level && pool->has_uncovered())
      oldest = std::min(oldest, pool->oldest_uncovered().since());
  return oldest;
}

// One ask a level speaks for all pools of this reactor that lack a permit of it.
void Shard::ask_at_level(Pool& pool, std::optional<LevelId> lacking, base::Instant now) {
  if (pool.asked_level != lacking) ask_no_more_at_level(pool);
  if (!lacking) return;
  pool.asked_level = lacking;
  exchange_.asks(*lacking).ask(reactor_, only(oldest_asking_at(*lacking)), 1, now);
}

void Shard::ask_no_more_at_level(Pool& pool) {
  const auto level = std::exchange(pool.asked_level, std::nullopt);
  if (!level) return;
  const base::Instant oldest = oldest_asking_at(*level);
  if (oldest == base::kNever)
    exchange_.asks(*level).withdraw(reactor_);
  else
    exchange_.asks(*level).ask(reactor_, only(oldest), 1, looked_at_);
  offer(*level);
}

// Its line has changed.
void Shard::renew_level_ask(const Pool& pool) {
  if (!pool.asked_level) return;
  AskBoard& asks = exchange_.asks(*pool.asked_level);
  const base::Instant oldest = oldest_asking_at(*pool.asked_level);
  if (oldest - asks.since(reactor_) < kStaleness) return;
  asks.renew(reactor_, only(oldest));
  offer(*pool.asked_level);
}

// Who lacks another level by now cannot take what is left to it, so it asks there instead.
void Shard::move_level_asks(base::Instant now) {
  for (Pool* pool = starved_.front(); pool != nullptr; pool = starved_.next(*pool))
    if (pool->asked_level && !is_lacking(*pool, *pool->asked_level))
      ask_others(*pool, others_, now);
}

// What others may have left to a waiter of this reactor.
void Shard::offer(LevelId level) {
  if (!exchange_.is_full(level)) wake_others(exchange_.waiting(level));
}

}  // namespace pgweir::pool

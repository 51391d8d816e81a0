// AskBoard: what the reactors ask each other for at one level: a server of a pool, or a permit that
// a server gives back when it is closed. It holds numbers; who gives what is Shard's
// (shard_giving.cc).
//
// An ask says since when the oldest waiters wait, and for how many of them nobody has answered yet.
// Who answers takes one from that number, so that one waiter does not get two servers. An asker
// wakes the others after it has asked, so that those who looked before look again.
//
// Whose ask is older than another waiter's goes before it, answered or not (shard_leaving.cc). That
// needs one total order (seq_cst) with the announcements in the exchange.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/assert.h"
#include "base/time.h"
#include "pool/reactor_index.h"

namespace pgweir::pool {

// What a reactor asks the others for at one level.
struct Ask {
  ReactorIndex reactor = 0;
  base::Instant since;  // Since when the oldest waiter waits whom nobody has answered for.
};
// For so many of its waiters a reactor asks at a time, and says since when each waits.
inline constexpr std::size_t kAskedMax = 4;
using AskedSince = std::array<base::Instant, kAskedMax>;

template <class Yield>
class BasicAskBoard {
 public:
  BasicAskBoard() = default;
  BasicAskBoard(const BasicAskBoard&) = delete;
  BasicAskBoard& operator=(const BasicAskBoard&) = delete;

  // For the first `count` waiters of a reactor, oldest first; replaces what it asked for before.
  // REQUIRES: count > 0.
  void ask(ReactorIndex reactor, const AskedSince& since, std::uint32_t count, base::Instant now);
  void withdraw(ReactorIndex reactor);
  // Its waiters are others by now. Who has been answered for stays so: as many as before, from the
  // front. kNever: there is none.
  void renew(ReactorIndex reactor, const AskedSince& since);
  // Who asks, answered or not.
  ReactorMask asking() const {
    Yield::yield();
    return askers_.load(std::memory_order_relaxed);
  }
  // Since when the oldest waiter of that reactor waits, as last said; kNever: it does not ask.
  base::Instant since(ReactorIndex reactor) const;
  // How many reactors but `except` have a waiter from before `since`, answered or not, and have
  // asked after `asked_after`.
  std::uint32_t count_before(base::Instant since, ReactorIndex except,
                             base::Instant asked_after) const;
  // Who asks and waits longest, `except` left out; a hint.
  std::optional<Ask> oldest(ReactorIndex except) const;
  // Takes it upon itself to give that reactor one. False: others have by now.
  bool try_answer(ReactorIndex reactor);

 private:
  struct alignas(8) Asked {
    std::uint32_t count = 0;
    std::uint32_t left = 0;
  };
  static_assert(std::atomic<Asked>::is_always_lock_free);
  // When it asked and since when each of its waiters waits, written by the reactor itself, and how
  // many there are, taken from by the others.
  struct alignas(64) Note {
    std::atomic<base::Instant::rep> asked_at{};
    std::array<std::atomic<base::Instant::rep>, kAskedMax> since{};
    std::atomic<Asked> asked{};
  };

  alignas(64) std::atomic<ReactorMask> askers_{0};
  std::array<Note, kReactorCountMax> notes_;
};

using AskBoard = BasicAskBoard<HookedYield>;

template <class Yield>
void BasicAskBoard<Yield>::renew(ReactorIndex reactor, const AskedSince& since) {
  Yield::yield();
  for (std::size_t i = 0; i < kAskedMax; ++i)
    notes_[reactor].since[i].store(since[i].time_since_epoch().count());
}

template <class Yield>
void BasicAskBoard<Yield>::ask(ReactorIndex reactor, const AskedSince& since, std::uint32_t count,
                               base::Instant now) {
  ASSERT(count > 0 && count <= kAskedMax);
  notes_[reactor].asked_at.store(now.time_since_epoch().count());
  renew(reactor, since);
  Yield::yield();
  notes_[reactor].asked.store({count, count});
  Yield::yield();
  askers_.fetch_or(mask_of(reactor));
}

template <class Yield>
void BasicAskBoard<Yield>::withdraw(ReactorIndex reactor) {
  Yield::yield();
  notes_[reactor].asked.store({});
  Yield::yield();
  askers_.fetch_and(~mask_of(reactor));
}

template <class Yield>
base::Instant BasicAskBoard<Yield>::since(ReactorIndex reactor) const {
  Yield::yield();
  if ((askers_.load() & mask_of(reactor)) == 0) return base::kNever;
  return base::Instant{base::Duration(notes_[reactor].since.front().load())};
}

template <class Yield>
std::uint32_t BasicAskBoard<Yield>::count_before(base::Instant since, ReactorIndex except,
                                                 base::Instant asked_after) const {
  std::uint32_t count = 0;
  for (ReactorIndex reactor = 0; reactor < kReactorCountMax; ++reactor) {
    if (reactor == except || this->since(reactor) >= since) continue;
    if (base::Instant{base::Duration(notes_[reactor].asked_at.load())} > asked_after) ++count;
  }
  return count;
}

template <class Yield>
std::optional<Ask> BasicAskBoard<Yield>::oldest(ReactorIndex except) const {
  const ReactorMask others = asking() & ~mask_of(except);
  std::optional<Ask> oldest;
  for (ReactorIndex reactor = 0; (others >> reactor) != 0; ++reactor) {
    if ((others & mask_of(reactor)) == 0) continue;
    const Note& note = notes_[reactor];
    Yield::yield();
    const Asked asked = note.asked.load();
    if (asked.left == 0) continue;
    Yield::yield();
    const auto next = note.since[asked.count - asked.left].load(std::memory_order_relaxed);
    const base::Instant since{base::Duration(next)};
    if (!oldest || since < oldest->since) oldest = Ask{reactor, since};
  }
  return oldest;
}

template <class Yield>
bool BasicAskBoard<Yield>::try_answer(ReactorIndex reactor) {
  std::atomic<Asked>& asked = notes_[reactor].asked;
  Yield::yield();
  Asked before = asked.load();
  do {
    if (before.left == 0) return false;
    Yield::yield();
  } while (!asked.compare_exchange_strong(before, {before.count, before.left - 1}));
  return true;
}

}  // namespace pgweir::pool

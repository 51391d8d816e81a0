// Exchange: how many servers each level (server, database, role, pool) may have and has, and which
// reactors wait for a permit. It is the one class that threads share; it holds counters, no
// connection and no queue, and nothing in it blocks.
//
// No wake-up is lost, because a waiter announces itself and then tries again, and a giver frees its
// permit and then looks who announced itself; both in one total order (seq_cst). Whichever comes
// second sees the other.
//
// Every step that another thread can see passes Yield::yield(), where a test switches threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/time.h"
#include "pool/options.h"

namespace pgweir::pool {

// One counter with a limit, in the order of creation.
enum class LevelId : std::uint32_t {};

// A data reactor, 0 to kReactorCountMax - 1, and a set of them.
using ReactorIndex = std::uint32_t;
using ReactorMask = std::uint32_t;
inline constexpr ReactorIndex kReactorCountMax = 8;
constexpr ReactorMask mask_of(ReactorIndex reactor) { return ReactorMask{1} << reactor; }

// The levels of one pool, narrowest first, so that a take that fails half-way has not held a permit
// of a wide level meanwhile, and nobody else failed because of it.
using Levels = std::span<const LevelId>;

struct Take {
  bool is_taken = false;
  ReactorMask to_wake = 0;  // Who may have failed because of permits that were put back.
};

struct Announcement {
  ReactorIndex reactor = 0;
  base::Instant since;  // Since when its oldest waiter for this level waits.
};

struct NoYield {
  static void yield() {}
};

template <class Yield>
class BasicExchange {
 public:
  // reactor_count: of those that use it; one alone has nobody to announce itself to.
  explicit BasicExchange(std::uint32_t reactor_count = 1) : reactor_count_(reactor_count) {
    ASSERT(reactor_count >= 1 && reactor_count <= kReactorCountMax);
  }
  BasicExchange(const BasicExchange&) = delete;
  BasicExchange& operator=(const BasicExchange&) = delete;
  ~BasicExchange() {
    for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }

  // Adds a level. Any thread; others learn the id through a channel that orders memory (a mailbox).
  // Levels stay until the end.
  LevelId add_level(std::string_view name, std::uint32_t limit);

  bool is_shared() const { return reactor_count_ > 1; }
  std::uint32_t level_count() const { return level_count_.load(); }
  const std::string& name(LevelId id) const { return at(id).name; }
  std::uint32_t limit(LevelId id) const { return at(id).permits.load().limit; }
  // Permits out, those of leaving servers included.
  std::uint32_t taken(LevelId id) const { return at(id).permits.load().taken; }
  // Of the permits out, those whose server is closing.
  std::uint32_t leaving(LevelId id) const { return at(id).leaving.load(); }
  bool is_full(LevelId id) const { return at(id).permits.load().is_full(); }
  // More servers than the limit, even when all closing ones are gone.
  bool is_over(LevelId id) const {
    const Permits permits = at(id).permits.load();
    return permits.taken > std::uint64_t{permits.limit} + leaving(id);
  }
  bool has_room(Levels levels) const {
    for (const LevelId id : levels)
      if (is_full(id)) return false;
    return true;
  }

  // Changes a limit at once. A lower one takes no permit back: the shards do, by closing servers.
  // Returns whom to wake.
  ReactorMask set_limit(LevelId id, std::uint32_t limit);

  // A permit of every level, or of none.
  Take try_take(Levels levels);
  // Returns a permit of every level; the server's end has been seen. was_leaving: it was announced
  // with mark_leaving. Returns whom to wake.
  ReactorMask give_back(Levels levels, bool was_leaving);
  // The server that holds these permits has begun to close.
  void mark_leaving(Levels levels);
  // It may not close after all for a long time: it is lost, its permits stay out.
  void unmark_leaving(Levels levels);

  // Says that a reactor has waited for this level since then; afterwards it must try once more.
  void announce(LevelId id, ReactorIndex reactor, base::Instant since);
  void withdraw(LevelId id, ReactorIndex reactor);
  ReactorMask waiting(LevelId id) const {
    Yield::yield();
    return at(id).waiting.load();
  }
  // The reactor that waits longest, `except` left out; a hint, since announcements change.
  std::optional<Announcement> oldest_waiting(LevelId id, ReactorIndex except) const;

 private:
  // In one word, so that no permit is taken by a limit that has just been lowered. More are out
  // than the limit says only since it was lowered.
  struct alignas(8) Permits {
    std::uint32_t limit = 0;
    std::uint32_t taken = 0;
    bool is_full() const { return taken >= limit; }
  };
  static_assert(std::atomic<Permits>::is_always_lock_free);

  struct alignas(64) Level {
    std::atomic<Permits> permits{};
    std::atomic<std::uint32_t> leaving{0};
    std::atomic<ReactorMask> waiting{0};
    std::string name;
    // Written by its own reactor only.
    alignas(64) std::array<std::atomic<base::Instant::rep>, kReactorCountMax> since{};
  };

  // Chunks that never move let a level be added while others are in use.
  static constexpr std::uint32_t kChunkLevels = 64;
  static constexpr std::uint32_t kChunkCountMax = 1024;
  using Chunk = std::array<Level, kChunkLevels>;

  Level& at(LevelId id) const {
    const auto index = static_cast<std::uint32_t>(id);
    return (*chunks_[index / kChunkLevels].load(std::memory_order_acquire))[index % kChunkLevels];
  }
  bool try_take_one(Level& level);
  void put_back_one(Level& level);

  const std::uint32_t reactor_count_;
  std::array<std::atomic<Chunk*>, kChunkCountMax> chunks_{};
  std::mutex adding_;
  std::atomic<std::uint32_t> level_count_ = 0;
};

using Exchange = BasicExchange<NoYield>;

template <class Yield>
LevelId BasicExchange<Yield>::add_level(std::string_view name, std::uint32_t limit) {
  const std::lock_guard lock(adding_);
  const std::uint32_t index = level_count_;
  ASSERT(index < kChunkLevels * kChunkCountMax);
  if (index % kChunkLevels == 0)
    chunks_[index / kChunkLevels].store(new Chunk, std::memory_order_release);
  Level& level = at(LevelId{index});
  level.name = name;
  level.permits.store({.limit = limit});
  ++level_count_;
  return LevelId{index};
}

template <class Yield>
ReactorMask BasicExchange<Yield>::set_limit(LevelId id, std::uint32_t limit) {
  Yield::yield();
  Permits permits = at(id).permits.load();
  while (!at(id).permits.compare_exchange_strong(permits, {limit, permits.taken})) {
  }
  return waiting(id);
}

template <class Yield>
bool BasicExchange<Yield>::try_take_one(Level& level) {
  Yield::yield();
  Permits permits = level.permits.load();
  Permits after;
  do {
    if (permits.is_full()) return false;
    after = {permits.limit, permits.taken + 1};
    Yield::yield();
  } while (!level.permits.compare_exchange_strong(permits, after));
  ASSERT(after.taken <= after.limit);
  return true;
}

template <class Yield>
void BasicExchange<Yield>::put_back_one(Level& level) {
  Yield::yield();
  Permits permits = level.permits.load();
  Permits after;
  do {
    ASSERT(permits.taken > 0);
    after = {permits.limit, permits.taken - 1};
  } while (!level.permits.compare_exchange_strong(permits, after));
}

template <class Yield>
Take BasicExchange<Yield>::try_take(Levels levels) {
  for (std::size_t count = 0; count < levels.size(); ++count) {
    if (try_take_one(at(levels[count]))) continue;
    Take failed;
    for (const LevelId id : levels.first(count)) {
      put_back_one(at(id));
      failed.to_wake |= waiting(id);
    }
    return failed;
  }
  return {.is_taken = true};
}

template <class Yield>
ReactorMask BasicExchange<Yield>::give_back(Levels levels, bool was_leaving) {
  ReactorMask to_wake = 0;
  for (const LevelId id : levels) {
    if (was_leaving) {
      const std::uint32_t before = at(id).leaving.fetch_sub(1);
      ASSERT(before > 0);
    }
    put_back_one(at(id));
    to_wake |= waiting(id);
  }
  return to_wake;
}

template <class Yield>
void BasicExchange<Yield>::mark_leaving(Levels levels) {
  for (const LevelId id : levels) at(id).leaving.fetch_add(1);
}

template <class Yield>
void BasicExchange<Yield>::unmark_leaving(Levels levels) {
  for (const LevelId id : levels) {
    const std::uint32_t before = at(id).leaving.fetch_sub(1);
    ASSERT(before > 0);
  }
}

template <class Yield>
void BasicExchange<Yield>::announce(LevelId id, ReactorIndex reactor, base::Instant since) {
  ASSERT(reactor < kReactorCountMax);
  Level& level = at(id);
  level.since[reactor].store(since.time_since_epoch().count(), std::memory_order_relaxed);
  Yield::yield();
  level.waiting.fetch_or(mask_of(reactor));
}

template <class Yield>
void BasicExchange<Yield>::withdraw(LevelId id, ReactorIndex reactor) {
  Yield::yield();
  at(id).waiting.fetch_and(~mask_of(reactor));
}

template <class Yield>
std::optional<Announcement> BasicExchange<Yield>::oldest_waiting(LevelId id,
                                                                 ReactorIndex except) const {
  const ReactorMask others = waiting(id) & ~mask_of(except);
  std::optional<Announcement> oldest;
  for (ReactorIndex reactor = 0; reactor < kReactorCountMax; ++reactor) {
    if ((others & mask_of(reactor)) == 0) continue;
    const base::Instant since{
        base::Duration(at(id).since[reactor].load(std::memory_order_relaxed))};
    if (!oldest || since < oldest->since) oldest = Announcement{reactor, since};
  }
  return oldest;
}

}  // namespace pgweir::pool

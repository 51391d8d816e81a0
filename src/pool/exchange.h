// Exchange: how many servers each level (server, database, role, pool) may have and has, which
// reactors wait for a permit, and which ask the others to give something up. It is the one class
// that threads share; it holds counters, no connection and no queue, and nothing that a transaction
// does in it blocks.
//
// No wake-up is lost, because a waiter announces itself and then tries again, and a giver frees its
// permit and then looks who announced itself; both in one total order (seq_cst). Whichever comes
// second sees the other.
//
// Every step that another thread can see passes Yield::yield(), where a test switches threads.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "pool/ask_board.h"
#include "pool/options.h"
#include "pool/reactor_index.h"

namespace pgweir::pool {

// One counter with a limit, in the order of creation.
enum class LevelId : std::uint32_t {};

// The levels of one pool, narrowest first, so that a take that fails half-way has not held a permit
// of a wide level meanwhile, and nobody else failed because of it.
using Levels = std::span<const LevelId>;
inline bool contains(Levels levels, LevelId level) {
  return std::find(levels.begin(), levels.end(), level) != levels.end();
}

struct Take {
  bool is_taken = false;
  ReactorMask to_wake = 0;  // Who may have failed because of permits that were put back.
};

template <class Yield>
class BasicExchange {
 public:
  // user_count: of the threads that use it, those that never wait in it included; one alone has
  // nobody to announce itself to. shard_count: of those that ask each other; one alone has nobody
  // to ask.
  explicit BasicExchange(std::uint32_t user_count = 1, std::uint32_t shard_count = 1)
      : user_count_(user_count), shard_count_(shard_count) {
    ASSERT(user_count >= shard_count && shard_count >= 1 && shard_count <= kReactorCountMax);
  }
  BasicExchange(const BasicExchange&) = delete;
  BasicExchange& operator=(const BasicExchange&) = delete;
  ~BasicExchange() {
    for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }

  // The level of that name, made with this limit if there is none. Any thread. Levels stay until
  // the end.
  LevelId level(std::string_view name, std::uint32_t limit);
  // A level that nobody finds by its name.
  LevelId add_level(std::string_view name, std::uint32_t limit);
  std::optional<LevelId> find_level(std::string_view name) const;

  bool is_shared() const { return user_count_ > 1; }
  std::uint32_t level_count() const {
    Yield::yield();
    return level_count_.load();
  }
  const std::string& name(LevelId id) const { return at(id).name; }
  std::uint32_t limit(LevelId id) const { return permits(id).limit; }
  // Permits out, those of leaving servers included.
  std::uint32_t taken(LevelId id) const { return permits(id).taken; }
  // Of the permits out, those whose server is closing.
  std::uint32_t leaving(LevelId id) const {
    Yield::yield();
    return at(id).leaving.load();
  }
  bool is_full(LevelId id) const { return permits(id).is_full(); }
  // Permits that may be taken now.
  std::uint32_t free(LevelId id) const {
    const Permits now = permits(id);
    return now.is_full() ? 0 : now.limit - now.taken;
  }
  // More servers than the limit, even when all closing ones are gone.
  bool is_over(LevelId id) const {
    const Permits now = permits(id);
    return now.taken > std::uint64_t{now.limit} + leaving(id);
  }
  bool has_room(Levels levels) const {
    for (const LevelId id : levels)
      if (is_full(id)) return false;
    return true;
  }

  // Changes a limit at once. A lower one takes no permit back: the shards do, by closing servers.
  // version: which of the limits that were found this is; once a later one is set nothing happens,
  // however late a reactor hears of an older one. Returns whom to wake.
  ReactorMask set_limit(LevelId id, std::uint32_t limit, std::uint64_t version = 0);

  // A permit of every level, or of none.
  Take try_take(Levels levels);
  // Returns a permit of every level; the server's end has been seen. was_leaving: it was announced
  // with mark_leaving. Returns whom to wake.
  ReactorMask give_back(Levels levels, bool was_leaving);
  // The server that holds these permits has begun to close.
  void mark_leaving(Levels levels);
  // It may not close after all for a long time: it is lost, its permits stay out.
  void unmark_leaving(Levels levels);

  // Says that a reactor waits for this level; afterwards it must try once more.
  void announce(LevelId id, ReactorIndex reactor);
  void withdraw(LevelId id, ReactorIndex reactor);
  ReactorMask waiting(LevelId id) const {
    Yield::yield();
    return at(id).waiting.load();
  }
  // What reactors ask each other for at a level. REQUIRES: shard_count > 1.
  BasicAskBoard<Yield>& asks(LevelId id) const { return *at(id).asks; }
  // Whether somebody else asks for anything: one look, for who gives something up.
  bool is_asked(ReactorIndex self) const {
    Yield::yield();
    return (asking_.load(std::memory_order_relaxed) & ~mask_of(self)) != 0;
  }
  // Says that a reactor asks for something, or for nothing any more.
  void set_asking(ReactorIndex reactor, bool is_asking) {
    Yield::yield();
    if (is_asking)
      asking_.fetch_or(mask_of(reactor));
    else
      asking_.fetch_and(~mask_of(reactor));
  }
  // A server is on its way to this reactor, with its permits; it has arrived.
  void note_coming(ReactorIndex reactor) {
    Yield::yield();
    coming_[reactor].fetch_add(1);
  }
  void note_arrived(ReactorIndex reactor) {
    Yield::yield();
    const std::uint32_t before = coming_[reactor].fetch_sub(1);
    ASSERT(before > 0);
  }
  std::uint32_t coming(ReactorIndex reactor) const {
    Yield::yield();
    return coming_[reactor].load();
  }

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
    std::uint64_t limit_version = 0;  // Guarded by limiting_.
    std::string name;
    std::unique_ptr<BasicAskBoard<Yield>> asks;  // nullptr with a single shard.
  };

  // Chunks that never move let a level be added while others are in use.
  static constexpr std::uint32_t kChunkLevels = 64;
  static constexpr std::uint32_t kChunkCountMax = 1024;
  using Chunk = std::array<Level, kChunkLevels>;

  Level& at(LevelId id) const {
    const auto index = static_cast<std::uint32_t>(id);
    return (*chunks_[index / kChunkLevels].load(std::memory_order_acquire))[index % kChunkLevels];
  }
  Permits permits(LevelId id) const {
    Yield::yield();
    return at(id).permits.load();
  }
  LevelId add(std::string_view name, std::uint32_t limit);
  bool try_take_one(Level& level);
  void put_back_one(Level& level);

  const std::uint32_t user_count_;
  const std::uint32_t shard_count_;
  std::array<std::atomic<Chunk*>, kChunkCountMax> chunks_{};
  mutable std::mutex adding_;  // Guards the names; nobody adds or looks one up per transaction.
  std::mutex limiting_;        // Who has it sets a limit, without a yield; permits need no lock.
  std::map<std::string, LevelId, std::less<>> by_name_;
  std::atomic<std::uint32_t> level_count_ = 0;
  alignas(64) std::atomic<ReactorMask> asking_ = 0;
  std::array<std::atomic<std::uint32_t>, kReactorCountMax> coming_{};
};

using Exchange = BasicExchange<HookedYield>;

template <class Yield>
LevelId BasicExchange<Yield>::level(std::string_view name, std::uint32_t limit) {
  Yield::yield();
  const std::lock_guard lock(adding_);
  if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
  return by_name_.emplace(name, add(name, limit)).first->second;
}

template <class Yield>
LevelId BasicExchange<Yield>::add_level(std::string_view name, std::uint32_t limit) {
  Yield::yield();
  const std::lock_guard lock(adding_);
  return add(name, limit);
}

template <class Yield>
LevelId BasicExchange<Yield>::add(std::string_view name, std::uint32_t limit) {
  const std::uint32_t index = level_count_;
  ASSERT(index < kChunkLevels * kChunkCountMax);
  if (index % kChunkLevels == 0)
    chunks_[index / kChunkLevels].store(new Chunk, std::memory_order_release);
  Level& level = at(LevelId{index});
  level.name = name;
  level.permits.store({.limit = limit});
  if (shard_count_ > 1) level.asks = std::make_unique<BasicAskBoard<Yield>>();
  ++level_count_;
  return LevelId{index};
}

template <class Yield>
std::optional<LevelId> BasicExchange<Yield>::find_level(std::string_view name) const {
  Yield::yield();
  const std::lock_guard lock(adding_);
  const auto known = by_name_.find(name);
  return known == by_name_.end() ? std::nullopt : std::optional(known->second);
}

template <class Yield>
ReactorMask BasicExchange<Yield>::set_limit(LevelId id, std::uint32_t limit,
                                            std::uint64_t version) {
  Yield::yield();
  {
    const std::lock_guard lock(limiting_);
    Level& level = at(id);
    if (version < level.limit_version) return 0;
    level.limit_version = version;
    Permits permits = level.permits.load();
    while (!level.permits.compare_exchange_weak(permits, {limit, permits.taken})) {
    }
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
    Yield::yield();
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
      Yield::yield();
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
  for (const LevelId id : levels) {
    Yield::yield();
    at(id).leaving.fetch_add(1);
  }
}

template <class Yield>
void BasicExchange<Yield>::unmark_leaving(Levels levels) {
  for (const LevelId id : levels) {
    Yield::yield();
    const std::uint32_t before = at(id).leaving.fetch_sub(1);
    ASSERT(before > 0);
  }
}

template <class Yield>
void BasicExchange<Yield>::announce(LevelId id, ReactorIndex reactor) {
  ASSERT(reactor < kReactorCountMax);
  Yield::yield();
  at(id).waiting.fetch_or(mask_of(reactor));
}

template <class Yield>
void BasicExchange<Yield>::withdraw(LevelId id, ReactorIndex reactor) {
  Yield::yield();
  at(id).waiting.fetch_and(~mask_of(reactor));
}

}  // namespace pgweir::pool

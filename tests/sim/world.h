// World: virtual time, chance, and the one queue of everything that is going to happen. An event
// runs alone and to its end; those of the same time run in the order in which they were made. It
// knows no connection and no protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"
#include "sim/fault_plan.h"

namespace pgweir::sim {

using Action = std::function<void()>;

class World {
 public:
  explicit World(std::uint64_t seed, bool is_verbose = false);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  base::Instant now() const { return now_; }
  base::Rng& rng() { return rng_; }
  // In force; the simulation takes them away for its epilogue.
  FaultPlan faults;

  void at(base::Instant when, Action action);
  void after(base::Duration delay, Action action) { at(now_ + delay, std::move(action)); }
  // Runs the next event if it is due by `until`; else moves the time there and returns false.
  bool step(base::Instant until);

  bool chance(double probability) { return probability > 0 && rng_.chance(probability); }
  // In [from, to]. REQUIRES: from <= to.
  base::Duration between(base::Duration from, base::Duration to);
  std::size_t between(std::size_t from, std::size_t to);

  bool is_verbose() const { return is_verbose_; }
  // One line of the story, with its time; written only by a verbose world.
  void say(const std::string& line) const;

 private:
  struct Event {
    base::Instant when;
    std::uint64_t sequence = 0;
    Action action;
  };
  static bool is_later(const Event& a, const Event& b);

  base::Instant now_{std::chrono::hours(1)};
  base::Rng rng_;
  bool is_verbose_;
  std::uint64_t sequence_ = 0;
  std::vector<Event> events_;  // A heap, the next one in front.
};

// Bytes of a message for a verbose world: what is not printable becomes a dot; cut at 300.
std::string readable(base::Bytes bytes);

// Something that must never happen has happened: says what and aborts; the program's handler of
// SIGABRT adds the seed.
[[noreturn]] void fail(const std::string& what);

}  // namespace pgweir::sim

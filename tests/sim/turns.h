// Turns: the events of one reactor, one after the other. One may stop in the middle, wherever its
// thread touches what it shares with others (pool::HookedYield); what comes for the reactor
// meanwhile waits behind it, and the other reactors go on, or stop in the middle, too.
//
// What it leaves out: memory orders weaker than the total one (each step is seen by everybody at
// once; ThreadSanitizer's stress is for that), and stops between two yields, where threads have
// nothing in common but counts that nobody decides by. Of the schedules chance takes some; all of
// three actors are tried in src/pool/exchange_interleaving_test.cc.
#pragma once

#include <deque>
#include <utility>

#include "sim/fiber.h"
#include "sim/world.h"

namespace pgweir::sim {

class Turns {
 public:
  // may_stop: else every event runs whole, and on the stack of whoever brings it.
  Turns(World& world, bool may_stop) : world_(world), may_stop_(may_stop) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  // REQUIRES: !is_busy().
  ~Turns() = default;

  // The event is the reactor's next: now, or when those before it are over.
  void run(Action event);
  // In the middle of an event.
  bool is_busy() const { return fiber_.is_busy(); }
  // Runs all that has stopped or waits to its end, and lets nothing stop any more.
  void finish();
  // Whether anything has run since this was last asked.
  bool has_run() { return std::exchange(has_run_, false); }

  // Whose event runs right now and may stop; nullptr: nobody's.
  static Turns* current() { return running; }
  // Of an event: leaves it in the middle; it goes on when others have run for this long.
  void stop_for(base::Duration time);

 private:
  void enter(const Action& step);
  void go_on();

  static inline Turns* running = nullptr;
  World& world_;
  bool may_stop_;
  bool has_run_ = false;
  Fiber fiber_;
  std::deque<Action> waiting_;
  std::uint64_t stop_count_ = 0;
};

}  // namespace pgweir::sim

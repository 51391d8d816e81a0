// Fiber: a stack of its own for work that is left in the middle and gone on with later, so that one
// thread plays several, and in the same way each time. It is no thread: nothing else runs until the
// work stops by itself. Sanitizers are told of every change of stack.
#pragma once

#include <ucontext.h>

#include <cstddef>

#include "sim/world.h"

namespace pgweir::sim {

class Fiber {
 public:
  Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  // REQUIRES: !is_busy(). What is on the stack of work that has stopped would never be destroyed.
  ~Fiber();

  // Between the beginning of work and its end.
  bool is_busy() const { return is_busy_; }
  // Begins the work; returns when it has ended or stopped. REQUIRES: !is_busy(), and no fiber runs.
  void begin(Action work);
  // The same for work that has stopped. REQUIRES: is_busy(), and no fiber runs.
  void go_on();
  // Of the work itself: back to whoever began it or went on with it.
  void stop();

 private:
  static void enter();
  void work_for_ever();

  std::byte* stack_;
  Action work_;
  bool is_busy_ = false;
  ucontext_t inside_{};
  ucontext_t outside_{};
  // What sanitizers know each stack by.
  [[maybe_unused]] void* inside_mark_ = nullptr;
  [[maybe_unused]] void* outside_mark_ = nullptr;
  [[maybe_unused]] const void* outside_bottom_ = nullptr;
  [[maybe_unused]] std::size_t outside_bytes_ = 0;
};

}  // namespace pgweir::sim

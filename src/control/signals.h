// Signals: signals as events of a loop (signalfd(2)), so that no handler ever interrupts anything.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/result.h"
#include "loop/loop.h"

namespace pgweir::control {

// Blocks the signals in this thread and in those that it starts. Call it before the first thread.
void block_signals(std::initializer_list<int> signals);

class Signals {
 public:
  // Calls `told` with the number of each signal that arrives. loop: outlives it.
  // REQUIRES: the signals are blocked in every thread. Errors: System.
  static base::Result<std::unique_ptr<Signals>> create(loop::Loop& loop,
                                                       std::initializer_list<int> signals,
                                                       std::function<void(int)> told);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  Signals(loop::Loop& loop, int descriptor, std::function<void(int)> told);

  loop::Loop& loop_;
  int descriptor_;
  std::function<void(int)> told_;
};

}  // namespace pgweir::control

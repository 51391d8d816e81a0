// Agenda: what a sandwich has to do at which time. It reads no clock; who owns it says when it is.
#pragma once

#include <functional>
#include <map>

#include "base/time.h"

namespace pgweir::bench {

class Agenda {
 public:
  using Task = std::function<void(base::Instant now)>;

  // Tasks of the same time are done in the order in which they came.
  void add(base::Instant when, Task task) { tasks_.emplace(when, std::move(task)); }
  // Of the first task; kNever without one.
  base::Instant next() const { return tasks_.empty() ? base::kNever : tasks_.begin()->first; }
  // What is due at `now`. What those tasks add waits for the next call, even if it is due already.
  void do_due(base::Instant now);

 private:
  std::multimap<base::Instant, Task> tasks_;
};

}  // namespace pgweir::bench

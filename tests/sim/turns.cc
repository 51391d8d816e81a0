#include "sim/turns.h"

namespace pgweir::sim {

void Turns::run(Action event) {
  if (is_busy()) {
    waiting_.push_back(std::move(event));
    return;
  }
  has_run_ = true;
  if (!may_stop_) return event();
  enter([&] { fiber_.begin(std::move(event)); });
}

void Turns::enter(const Action& step) {
  running = this;
  step();
  running = nullptr;
}

void Turns::stop_for(base::Duration time) {
  if (!may_stop_) return;
  world_.after(time, [this, stop = ++stop_count_] {
    if (stop == stop_count_ && is_busy()) go_on();
  });
  fiber_.stop();
}

void Turns::go_on() {
  has_run_ = true;
  enter([this] { fiber_.go_on(); });
  while (!is_busy() && !waiting_.empty()) {
    const Action next = std::move(waiting_.front());
    waiting_.pop_front();
    run(next);
  }
}

void Turns::finish() {
  may_stop_ = false;
  if (is_busy()) go_on();
}

}  // namespace pgweir::sim

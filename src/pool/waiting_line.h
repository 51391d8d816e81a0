// WaitingLine: the waiters of one pool, oldest first. It counts them and knows no time.
#pragma once

#include <cstdint>

#include "pool/waiter.h"

namespace pgweir::pool {

class WaitingLine {
 public:
  bool empty() const { return count_ == 0; }
  std::uint32_t count() const { return count_; }
  const Waiter* oldest() const { return list_.front(); }
  const Waiter* next(const Waiter& waiter) const { return list_.next(waiter); }

  // The waiter behind the first `skipped`, or nullptr. Walks: for the few that logins are under way
  // for, not for all that wait.
  const Waiter* oldest_after(std::uint32_t skipped) const {
    const Waiter* waiter = list_.front();
    while (waiter != nullptr && skipped-- > 0) waiter = list_.next(*waiter);
    return waiter;
  }

  void push(Waiter& waiter) {
    list_.push_back(waiter);
    ++count_;
  }
  // In front of all others. REQUIRES: its since() is not after theirs.
  void push_first(Waiter& waiter) {
    list_.push_front(waiter);
    ++count_;
  }
  Waiter* pop() {
    Waiter* waiter = list_.pop_front();
    if (waiter != nullptr) --count_;
    return waiter;
  }
  // REQUIRES: the waiter is in this line.
  void remove(Waiter& waiter) {
    static_cast<base::ListHook<InLine>&>(waiter).unlink();
    --count_;
  }

 private:
  base::List<Waiter, InLine> list_;
  std::uint32_t count_ = 0;
};

}  // namespace pgweir::pool

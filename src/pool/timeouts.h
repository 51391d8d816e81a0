// Timeouts: who has waited for how long, for timeouts of a few distinct durations. Items start in
// the order of time, so that one list per duration is sorted already: starting and stopping are
// O(1), and only heads are looked at. It is no timer wheel and serves no irregular deadlines.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "base/list.h"
#include "base/time.h"

namespace pgweir::pool {

// T has since(), the time at which it was started; it joins by its hook of Tag. To stop an item is
// to unlink that hook.
template <class T, class Tag>
class Timeouts {
 public:
  // REQUIRES: item.since() is not before that of any item started earlier. Zero: never due.
  // Allocates when `after` is seen for the first time.
  void start(T& item, base::Duration after) {
    if (after == base::Duration::zero()) return;
    list_for(after).push_back(item);
  }

  // Stops and returns an item that is due, or nullptr.
  T* take_due(base::Instant now) {
    for (auto& queue : queues_) {
      T* oldest = queue->items.front();
      if (oldest != nullptr && oldest->since() + queue->after <= now)
        return queue->items.pop_front();
    }
    return nullptr;
  }

  base::Instant next() const {
    base::Instant next = base::kNever;
    for (const auto& queue : queues_) {
      const T* oldest = queue->items.front();
      if (oldest != nullptr) next = std::min(next, oldest->since() + queue->after);
    }
    return next;
  }

 private:
  struct Queue {
    base::Duration after;
    base::List<T, Tag> items;  // Oldest first.
  };

  base::List<T, Tag>& list_for(base::Duration after) {
    for (auto& queue : queues_)
      if (queue->after == after) return queue->items;
    queues_.push_back(std::make_unique<Queue>());
    queues_.back()->after = after;
    return queues_.back()->items;
  }

  std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace pgweir::pool

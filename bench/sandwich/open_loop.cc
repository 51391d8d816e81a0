#include "open_loop.h"

namespace pgweir::bench {

void OpenLoop::begin(base::Instant now) {
  next_due_ = now;
  ask_what_is_due(now);
}

void OpenLoop::ask_what_is_due(base::Instant now) {
  if (has_ended_) return;
  for (; next_due_ <= now; next_due_ += interval_) {
    if (next_due_ >= lag_since_) lag_.add(now - next_due_);
    const std::size_t client = next_client_++ % due_.size();
    due_[client].push_back(next_due_);
    ++unanswered_;
    if (due_[client].size() == 1) sandwich_.ask(client, now);
  }
  sandwich_.do_at(next_due_, [this](base::Instant later) { ask_what_is_due(later); });
}

base::Instant OpenLoop::take_answer(std::size_t client, base::Instant now) {
  std::deque<base::Instant>& due = due_[client];
  const base::Instant answered = due.front();
  due.pop_front();
  --unanswered_;
  if (!due.empty()) sandwich_.ask(client, now);
  return answered;
}

}  // namespace pgweir::bench

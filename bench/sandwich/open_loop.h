// OpenLoop: requests that fall due at a fixed rate, whether or not the ones before were answered,
// and the clients that ask them in turn. A latency counts from when the request was due, so that
// what a slow answer holds up is in the figures as well (no coordinated omission).
#pragma once

#include <deque>
#include <vector>

#include "latencies.h"
#include "sandwich.h"

namespace pgweir::bench {

class OpenLoop {
 public:
  // Of clients 0 to client_count - 1, which are logged in when it begins. Lives as long as the
  // sandwich. `interval` is between two requests of all together.
  OpenLoop(Sandwich& sandwich, std::size_t client_count, base::Duration interval)
      : sandwich_(sandwich), interval_(interval), due_(client_count) {}

  void begin(base::Instant now);
  // How late this program itself asks counts from now on.
  void begin_lag(base::Instant now) { lag_since_ = now; }
  // Nothing falls due any more; what already has is asked still.
  void end() { has_ended_ = true; }

  // To be told of every answer: when that request was due. The client asks the next one due.
  base::Instant take_answer(std::size_t client, base::Instant now);
  bool is_answered() const { return unanswered_ == 0; }
  // What the pooler is not to blame for.
  const Latencies& lag() const { return lag_; }

 private:
  void ask_what_is_due(base::Instant now);

  Sandwich& sandwich_;
  const base::Duration interval_;
  std::vector<std::deque<base::Instant>> due_;  // By client: its requests that lack an answer.
  std::size_t unanswered_ = 0;
  std::size_t next_client_ = 0;
  base::Instant next_due_;
  bool has_ended_ = false;
  base::Instant lag_since_ = base::kNever;
  Latencies lag_;
};

}  // namespace pgweir::bench

// LostBackends: a node's backends of ours whose end nobody saw, and how to ask the node for them
// until they are proved gone. Pure: it makes the question and reads the answer.
// Source of truth: PostgreSQL manual, 28.2.3 (pg_stat_activity); section 9.27.2 for ending them.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "control/postgres_connection.h"

namespace pgweir::control {

class LostBackends {
 public:
  using Gone = std::function<void()>;

  // Nobody has seen the end of `pid`. Returns what to call at once: a pid that comes again proves
  // that the backend which had it before is gone. Null if there was none.
  Gone add(int pid, Gone gone, base::Instant now);

  // Asks for all, and has the server end those that it may. The question before it is void.
  Statement question(base::Instant now);
  // rows: the answer to the last question. Returns what to call for those that are gone. One that
  // was lost after the question is none of them.
  std::vector<Gone> handle_answer(const Rows& rows);

  std::size_t count() const { return lost_.size(); }

 private:
  struct Lost {
    base::Instant since;
    Gone gone;
    bool is_asked_for = false;  // By the last question.
  };

  std::unordered_map<int, Lost> lost_;  // By pid.
};

}  // namespace pgweir::control

// Waiter: a client's place in the waiting line of a pool. The client derives from it or embeds it;
// it costs no allocation and leaves in O(1).
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/list.h"
#include "base/time.h"
#include "pool/decision.h"

namespace pgweir::pool {

struct Pool;
struct InLine;
struct InDeadlines;
struct InNotices;

class Waiter : public base::ListHook<InLine>,
               public base::ListHook<InDeadlines>,
               public base::ListHook<InNotices> {
 public:
  // In the line of a pool. A waiter that was refused or got its server is not.
  bool is_waiting() const { return state_ == State::Waiting; }
  // When it last entered a line.
  base::Instant since() const { return since_; }

 private:
  friend class Shard;
  enum class State : std::uint8_t {
    Resting,
    Waiting,
    Refused,  // Until its Refuse is taken.
  };

  Pool* pool_ = nullptr;
  base::Instant since_;
  State state_ = State::Resting;
  RefuseReason refusal_ = RefuseReason::Timeout;
};

}  // namespace pgweir::pool

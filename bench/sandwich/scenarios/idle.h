// Idle: clients log in to a pooler that has just been started, do something once or nothing, and
// then rest. What each of them costs the pooler in memory, and all of them in CPU time and wake-ups
// while nobody asks for anything; W7 and W13.
#pragma once

#include "meter.h"
#include "scenario.h"

namespace pgweir::bench {

class Idle final : public Scenario {
 public:
  Idle(const Plan& plan, Sandwich& sandwich) : Scenario(plan, sandwich), watch_(plan.pooler_pids) {}

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  Figures result() const override;

 private:
  void connect_next();
  void begin_rest(base::Instant now);

  std::size_t resting_ = 0;
  std::size_t connected_ = 0;
  std::uint64_t memory_before_ = 0;
  std::uint64_t memory_after_ = 0;
  Watch watch_;
};

}  // namespace pgweir::bench

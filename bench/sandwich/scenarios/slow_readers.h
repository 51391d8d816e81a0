// SlowReaders: a few clients ask for a long answer and read it slowly, while the others ask one
// short thing after the other (a closed loop). What the slow ones take from the others, and how
// much memory the pooler spends on them; W12.
#pragma once

#include <cstdint>

#include "meter.h"
#include "scenario.h"
#include "tally.h"

namespace pgweir::bench {

class SlowReaders final : public Scenario {
 public:
  SlowReaders(const Plan& plan, Sandwich& sandwich);

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  Figures result() const override;

 private:
  void begin_work(base::Instant now);
  void look_at_memory(base::Instant now);

  std::size_t logged_in_ = 0;
  std::uint64_t memory_before_ = 0;
  std::uint64_t memory_max_ = 0;
  Watch watch_;
  Tally tally_;  // Of the others.
};

}  // namespace pgweir::bench

// AtRate: all clients log in and then ask at a fixed rate together, far below what saturates
// anybody (OpenLoop). What a transaction costs where a batch is one event, and how long it takes
// from when it was due; W2.
#pragma once

#include "meter.h"
#include "open_loop.h"
#include "scenario.h"
#include "tally.h"

namespace pgweir::bench {

class AtRate final : public Scenario {
 public:
  AtRate(const Plan& plan, Sandwich& sandwich);

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  Figures result() const override;

 private:
  void begin_work(base::Instant now);

  std::size_t logged_in_ = 0;
  OpenLoop loop_;
  Watch watch_;
  Tally tally_;
};

}  // namespace pgweir::bench

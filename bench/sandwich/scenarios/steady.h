// Steady: all clients log in and then ask one thing after the other, as fast as they are answered
// (a closed loop). Throughput, CPU per transaction and fairness; W3 to W5, W10 and W11.
#pragma once

#include "meter.h"
#include "scenario.h"
#include "tally.h"

namespace pgweir::bench {

class Steady final : public Scenario {
 public:
  Steady(const Plan& plan, Sandwich& sandwich);

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  void handle_server_gap(base::Duration gap) override;
  Figures result() const override { return tally_.report(watch_); }

 private:
  void begin_work(base::Instant now);

  std::size_t logged_in_ = 0;
  Watch watch_;
  Tally tally_;
};

}  // namespace pgweir::bench

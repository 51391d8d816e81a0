// Churn: each client connects, logs in, asks one thing, says goodbye and hangs up, over and over.
// What a login costs the pooler; W8.
#pragma once

#include <vector>

#include "latencies.h"
#include "meter.h"
#include "scenario.h"

namespace pgweir::bench {

class Churn final : public Scenario {
 public:
  Churn(const Plan& plan, Sandwich& sandwich);

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  Figures result() const override;

 private:
  void connect(std::size_t client, base::Instant now);

  std::vector<base::Instant> connected_at_;
  std::uint64_t cycles_ = 0;
  Watch watch_;
  Latencies latencies_;  // From connecting to the answer.
};

}  // namespace pgweir::bench

// Storm: while established clients ask at a fixed rate (OpenLoop), a Crowd connects as fast as it
// can and stays. What the established feel of it, and how long the crowd waits to be let in; W9.
#pragma once

#include "latencies.h"
#include "open_loop.h"
#include "scenario.h"
#include "scenarios/crowd.h"

namespace pgweir::bench {

class Storm final : public Scenario {
 public:
  Storm(const Plan& plan, Sandwich& sandwich);

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  Figures result() const override;

 private:
  enum class Phase : std::uint8_t { Gathering, WarmingUp, Calm, Storming, Past };

  void begin_asking(base::Instant now);
  void begin_storm(base::Instant now);
  void look_at_crowd(base::Instant now);
  void leave_after_crowd(base::Instant now);

  Phase phase_ = Phase::Gathering;
  std::size_t established_ = 0;

  OpenLoop loop_;  // Of the established.
  Crowd crowd_;
  base::Instant storm_since_;
  Latencies calm_;
  Latencies storm_;
};

}  // namespace pgweir::bench

// Storm: while established clients ask at a fixed rate (OpenLoop), many others connect as fast as
// they can and stay. What the established feel of it, and how long the others wait to be let in;
// W9.
#pragma once

#include "latencies.h"
#include "open_loop.h"
#include "scenario.h"

namespace pgweir::bench {

class Storm final : public Scenario {
 public:
  Storm(const Plan& plan, Sandwich& sandwich);

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  void handle_lost(std::size_t client, std::string_view why, base::Instant now) override;
  Figures result() const override;

 private:
  enum class Phase : std::uint8_t { Gathering, WarmingUp, Calm, Storming, Past };

  void begin_asking(base::Instant now);
  void begin_storm(base::Instant now);
  void connect_some(base::Instant now);
  void count_newcomer(base::Instant now);
  void leave_if_answered(base::Instant now);

  Phase phase_ = Phase::Gathering;
  std::size_t established_ = 0;
  std::size_t newcomers_ = 0;  // That have set out …
  std::size_t arrived_ = 0;    // … and that were let in …
  std::size_t refused_ = 0;    // … or not.

  OpenLoop loop_;  // Of the established.
  base::Instant storm_since_;
  base::Duration storm_time_{};
  Latencies calm_;
  Latencies storm_;
};

}  // namespace pgweir::bench

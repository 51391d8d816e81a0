// Scenario: who connects, asks and leaves when in one run, and what is measured of it. There is one
// class for each way to behave, in scenarios/. It acts through the Sandwich, which keeps the
// connections, checks every byte and tells here what has come of it; never from within a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "meter.h"
#include "plan.h"

namespace pgweir::bench {

class Sandwich;

// What was measured, by name; a name ends in its unit unless it is a count.
using Figures = std::vector<std::pair<std::string, double>>;

class Scenario {
 public:
  Scenario(const Plan& plan, Sandwich& sandwich) : plan_(plan), sandwich_(sandwich) {}
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  virtual ~Scenario() = default;

  virtual void begin(base::Instant now) = 0;
  virtual void handle_logged_in(std::size_t client, base::Instant now) = 0;
  virtual void handle_answered(std::size_t client, base::Instant now) = 0;
  // It was refused or cut off. Unless the scenario expects that, the run has failed.
  virtual void handle_lost(std::size_t client, std::string_view why, base::Instant now);
  // A server, the n-th of the run, has taken up a request of a client.
  virtual void handle_request_served(std::uint32_t, base::Instant) {}
  // A server that had answered everything is asked again after so long.
  virtual void handle_server_gap(base::Duration) {}
  // What a conductor says, in pieces, and that it has hung up; where one was called.
  virtual void handle_order(std::string_view, base::Instant) {}
  virtual void handle_conductor_gone(base::Instant) {}
  // Once it has dismissed everybody.
  virtual Figures result() const = 0;

 protected:
  // Once the warm-up is over the watch runs for as long as was planned; then all are dismissed.
  void measure(Watch& watch, base::Instant now);

  const Plan& plan_;
  Sandwich& sandwich_;
};

}  // namespace pgweir::bench

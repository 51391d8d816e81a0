// ServiceSchedule: when a node's service connection does what, and when it sleeps. Pure: times and
// outcomes go in, the next errand comes out.
#pragma once

#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "base/time.h"
#include "budget/options.h"
#include "control/clients.h"

namespace pgweir::control {

enum class Errand : std::uint8_t {
  None,
  Discover,  // Limits and who uses them; counts as a Measure too.
  Measure,   // How many clients the server has, for /api/health.
  FindLost,  // Whether lost backends are still there.
  Close,     // Nothing to do for long: let the server sleep.
};

// How long after one Measure the next is due, while there are clients.
base::Duration measure_interval(const budget::Options& options, Clients clients);

class ServiceSchedule {
 public:
  // The first errand is a Discover, at once.
  ServiceSchedule(const budget::Options& options, std::uint64_t seed, base::Instant now);

  // At each change.
  void handle_clients(Clients clients, base::Instant now);
  // next_look: when budget::AllowanceTracker wants to look again.
  void handle_discovered(base::Instant next_look, base::Instant now);
  void handle_measured(base::Instant now);
  // How many lost backends there are, and when they were last looked for.
  void handle_lost(std::size_t count) { lost_count_ = count; }
  void handle_looked_for_lost(base::Instant now);
  // The server has said 53300 to some connection of ours: look at once.
  void handle_refused(base::Instant now);
  // Connecting or an errand failed. is_permanent: waiting is not likely to help.
  void handle_failed(bool is_permanent, base::Instant now);
  // No connection was to be had: not a failure of the server's.
  void handle_crowded_out(base::Instant now);
  // A guest on other connections has none of its own.
  void set_guest(bool is_guest) { is_guest_ = is_guest; }
  bool is_guest() const { return is_guest_; }

  // What to do now, or Errand::None until due().
  Errand next(bool is_connected, base::Instant now) const;
  // When next() will say something else than None; kNever until something is told.
  base::Instant due(bool is_connected) const;

  bool is_failing() const { return failures_ > 0; }

 private:
  base::Instant discover_at() const;
  base::Instant measure_at() const;
  base::Instant find_lost_at() const;
  base::Instant sleep_at() const;
  bool is_awake(base::Instant at) const;

  budget::Options options_;
  base::Rng rng_;
  bool has_discovered_ = false;
  bool is_urgent_ = false;  // A 53300 is newer than the last discovery.
  bool is_guest_ = false;
  Clients clients_ = Clients::None;
  base::Instant next_look_;
  base::Instant clients_seen_;  // When the last client left, or the start.
  base::Instant discovered_;
  base::Instant measured_;
  base::Instant looked_;
  std::size_t lost_count_ = 0;
  std::uint32_t failures_ = 0;
  base::Instant not_before_;  // No connection attempt or errand earlier.
};

}  // namespace pgweir::control

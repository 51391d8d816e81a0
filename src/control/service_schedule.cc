#include "control/service_schedule.h"

#include <algorithm>
#include <utility>

namespace pgweir::control {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A burst of 53300 is one reason to look, not one for each.
constexpr base::Duration kUrgentSpacing = milliseconds(100);
constexpr base::Duration kFindLost = seconds(1);
// Nobody is hurt by a server whose end is noticed later, while nobody asks it for anything.
constexpr base::Duration kMeasureAtRest = seconds(5);

constexpr base::Duration kBackoffMin = milliseconds(250);
constexpr base::Duration kBackoffMax = seconds(5);
constexpr base::Duration kBackoffPermanent = seconds(30);
constexpr base::Duration kCrowdedOut = milliseconds(50);

}  // namespace

base::Duration measure_interval(const budget::Options& options, Clients clients) {
  return clients == Clients::AtRest ? std::max(options.health_interval, kMeasureAtRest)
                                    : options.health_interval;
}

ServiceSchedule::ServiceSchedule(const budget::Options& options, std::uint64_t seed,
                                 base::Instant now)
    : options_(options),
      rng_(seed),
      next_look_(now),
      clients_seen_(now),
      discovered_(now),
      measured_(now),
      looked_(now),
      not_before_(now) {}

void ServiceSchedule::handle_clients(Clients clients, base::Instant now) {
  const bool had_clients = std::exchange(clients_, clients) != Clients::None;
  if (had_clients || clients != Clients::None) clients_seen_ = now;
}

void ServiceSchedule::handle_discovered(base::Instant next_look, base::Instant now) {
  has_discovered_ = true;
  is_urgent_ = false;
  next_look_ = next_look;
  discovered_ = now;
  handle_measured(now);
}

void ServiceSchedule::handle_measured(base::Instant now) {
  measured_ = not_before_ = now;
  failures_ = 0;
}

void ServiceSchedule::handle_looked_for_lost(base::Instant now) { looked_ = now; }

void ServiceSchedule::handle_refused(base::Instant now) {
  is_urgent_ = true;
  not_before_ = std::min(not_before_, std::max(now, discovered_ + kUrgentSpacing));
}

void ServiceSchedule::handle_failed(bool is_permanent, base::Instant now) {
  const std::uint32_t doublings = std::min<std::uint32_t>(failures_++, 16);
  const base::Duration pause =
      is_permanent ? kBackoffPermanent
                   : std::min<base::Duration>(kBackoffMin * (1U << doublings), kBackoffMax);
  not_before_ = now + rng_.jitter(pause, 0.25);
}

void ServiceSchedule::handle_crowded_out(base::Instant now) { not_before_ = now + kCrowdedOut; }

Errand ServiceSchedule::next(bool is_connected, base::Instant now) const {
  if (now >= find_lost_at()) return Errand::FindLost;
  if (now >= discover_at()) return Errand::Discover;
  if (now >= measure_at()) return Errand::Measure;
  if (is_connected && (is_guest_ || !is_awake(now))) return Errand::Close;
  return Errand::None;
}

base::Instant ServiceSchedule::due(bool is_connected) const {
  base::Instant at = std::min({find_lost_at(), discover_at(), measure_at()});
  if (is_connected && is_guest_) return base::Instant::min();
  if (is_connected) at = std::min(at, sleep_at());
  return at;
}

base::Instant ServiceSchedule::discover_at() const {
  if (!has_discovered_ || failures_ > 0) return not_before_;
  if (is_urgent_) return std::max(not_before_, discovered_ + kUrgentSpacing);
  const base::Instant at = std::max(not_before_, next_look_);
  return is_awake(at) ? at : base::kNever;
}

base::Instant ServiceSchedule::measure_at() const {
  if (clients_ == Clients::None) return base::kNever;
  return std::max(not_before_, measured_ + measure_interval(options_, clients_));
}

base::Instant ServiceSchedule::find_lost_at() const {
  return lost_count_ == 0 ? base::kNever : std::max(not_before_, looked_ + kFindLost);
}

base::Instant ServiceSchedule::sleep_at() const {
  if (clients_ != Clients::None || lost_count_ > 0 || failures_ > 0) return base::kNever;
  return base::deadline(clients_seen_, options_.monitor_idle);
}

bool ServiceSchedule::is_awake(base::Instant at) const { return at < sleep_at(); }

}  // namespace pgweir::control

#include "server/statistics.h"

#include <algorithm>
#include <cmath>

#include "obs/families.h"
#include "server/events.h"

namespace pgweir::server {
namespace {

constexpr base::Duration kPauseMin = std::chrono::seconds(1);

base::Duration mean(base::Duration sum, std::uint64_t count) {
  return count == 0 ? base::Duration::zero() : sum / static_cast<std::int64_t>(count);
}

}  // namespace

void Statistics::set_options(const config::LogOptions& options) {
  period_ = options.has_statistics ? options.statistics_interval.count() : 0;
}

Statistics::Totals Statistics::read() const {
  Totals totals;
  for (const obs::Sample& sample : metrics_.collect()) {
    const auto value = static_cast<std::int64_t>(sample.value);
    if (sample.family == &obs::kClients) totals.clients += value;
    if (sample.family == &obs::kWaiting) totals.waiting += value;
    if (sample.family == &obs::kServers) totals.servers += value;
    if (sample.family == &obs::kHoldSeconds && sample.histogram) {
      totals.leases += sample.histogram->count();
      totals.held += sample.histogram->sum();
    }
    if (sample.family == &obs::kWaitSeconds && sample.histogram) {
      totals.waits += sample.histogram->count();
      totals.waited += sample.histogram->sum();
    }
  }
  return totals;
}

void Statistics::write_if_due(base::Instant now) {
  const base::Duration period(period_.load());
  if (period == base::Duration::zero() || last_at_ == base::kNever) {
    last_at_ = now;
    return;
  }
  if (now - last_at_ < period) return;
  const Totals current = read();
  if (current.clients != 0 || current.leases != last_.leases) write(current, now - last_at_);
  last_ = current;
  last_at_ = now;
}

base::Duration Statistics::call_after(base::Instant now, base::Duration most) const {
  const base::Duration period(period_.load());
  if (period == base::Duration::zero()) return most;
  const base::Instant due =
      last_at_ == base::kNever ? base::deadline(now, period) : base::deadline(last_at_, period);
  return std::clamp<base::Duration>(due - now, kPauseMin, most);
}

void Statistics::write(const Totals& current, base::Duration period) {
  const std::uint64_t leases = current.leases - last_.leases;
  const double seconds = std::chrono::duration<double>(period).count();
  log_.event(kStatistics,
             {obs::kv("leases", leases),
              obs::kv("leases_per_second", std::llround(static_cast<double>(leases) / seconds)),
              obs::kv("hold_us", mean(current.held - last_.held, leases)),
              obs::kv("wait_us", mean(current.waited - last_.waited, current.waits - last_.waits)),
              obs::kv("clients", current.clients), obs::kv("waiting", current.waiting),
              obs::kv("servers", current.servers)});
}

}  // namespace pgweir::server

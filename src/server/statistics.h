// Statistics: the line of totals that log_stats writes every stats_period: what happened since the
// line before, and how things are now. It reads the numbers of /metrics and keeps none of its own.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "config/options.h"
#include "obs/log.h"
#include "obs/metrics.h"

namespace pgweir::server {

class Statistics {
 public:
  // metrics, log: outlive it.
  Statistics(const obs::Metrics& metrics, obs::Log& log) : metrics_(metrics), log_(log) {}

  // Any thread may call it.
  void set_options(const config::LogOptions& options);
  // Writes the line when it is due; nothing where nothing happened and nobody is there. Called now
  // and then by one thread.
  void write_if_due(base::Instant now);
  // How long until that is to be called again: when the line is due, in a second at the soonest, or
  // after `most`.
  base::Duration call_after(base::Instant now, base::Duration most) const;

 private:
  // Of all pools. Times are sums over all that was counted.
  struct Totals {
    std::uint64_t leases = 0;
    base::Duration held{};
    std::uint64_t waits = 0;
    base::Duration waited{};
    std::int64_t clients = 0;
    std::int64_t waiting = 0;
    std::int64_t servers = 0;
  };
  Totals read() const;
  void write(const Totals& current, base::Duration period);

  const obs::Metrics& metrics_;
  obs::Log& log_;
  std::atomic<base::Duration::rep> period_{0};  // Zero: no lines.
  base::Instant last_at_ = base::kNever;
  Totals last_;
};

}  // namespace pgweir::server

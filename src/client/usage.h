// Usage: how a pool has been used since it began, for whoever sets its limit: how many servers were
// lent at the same time, and how long callers waited. It reads no clock and locks nothing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "obs/histogram.h"

namespace pgweir::client {

class Usage {
 public:
  void note_lent() { lent_max_ = std::max(lent_max_, ++lent_); }
  void note_returned() { --lent_; }
  // A caller got one without waiting …
  void note_no_wait() { ++no_wait_count_; }
  // … or waited so long, whatever for.
  void note_wait(base::Duration time) { waits_.record(time); }

  struct Report {
    std::uint32_t lent_max = 0;
    // 99 of 100 callers waited no longer; an eighth too high at most.
    base::Duration wait_p99 = {};
  };
  Report report() const { return {.lent_max = lent_max_, .wait_p99 = wait_p99()}; }

 private:
  base::Duration wait_p99() const {
    const obs::HistogramSnapshot waits = waits_.snapshot();
    const std::uint64_t rank = ((no_wait_count_ + waits.count()) * 99 + 99) / 100;
    if (rank <= no_wait_count_) return {};
    return waits.quantile(static_cast<double>(rank - no_wait_count_) /
                          static_cast<double>(waits.count()));
  }

  std::uint32_t lent_ = 0;
  std::uint32_t lent_max_ = 0;
  std::uint64_t no_wait_count_ = 0;
  obs::Histogram waits_;
};

}  // namespace pgweir::client

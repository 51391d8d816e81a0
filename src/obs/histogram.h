// Histogram: how long things took, in fixed log-linear buckets: eight to every doubling from 8 µs
// to 19 hours, so that a quantile is at most an eighth too high; below 8 µs every microsecond has
// one. One thread records, any thread takes a snapshot; recording neither locks nor allocates.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace pgweir::obs {

// The buckets: number `i` holds durations above the upper bound of the one before, up to and
// including its own. Including, because Prometheus' `le` does.
struct HistogramBuckets {
  static constexpr std::size_t kLinearBits = 3;
  static constexpr std::size_t kDoublings = 33;
  static constexpr std::size_t kCount = (kDoublings + 1) << kLinearBits;

  static constexpr std::size_t index_of(base::Duration time) {
    const std::int64_t ns = std::max<std::int64_t>(time.count(), 1);
    const auto us = static_cast<std::uint64_t>(ns - 1) / 1000;  // Whole microseconds below `time`.
    if (us < (1U << kLinearBits)) return us;
    const auto shift = static_cast<std::size_t>(std::bit_width(us)) - 1 - kLinearBits;
    const auto index = (shift << kLinearBits) + (us >> shift);
    return std::min<std::size_t>(index, kCount - 1);
  }

  // REQUIRES: index < kCount. The last bucket also holds everything longer than its bound.
  static constexpr base::Duration upper_bound(std::size_t index) {
    const std::size_t row = index >> kLinearBits;
    if (row == 0) return std::chrono::microseconds(index + 1);
    const std::size_t in_row = index & ((1U << kLinearBits) - 1);
    const std::uint64_t first = std::uint64_t{1} << kLinearBits;
    return std::chrono::microseconds((first + in_row + 1) << (row - 1));
  }
};

// What a histogram held at one moment; a plain value.
class HistogramSnapshot {
 public:
  std::uint64_t count() const { return count_; }
  base::Duration sum() const { return sum_; }

  // An upper bound of the q-quantile (0 < q ≤ 1), at most an eighth above it; zero when empty.
  base::Duration quantile(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_) + 0.999999);
    const std::uint64_t rank =
        std::clamp<std::uint64_t>(wanted, 1, std::max<std::uint64_t>(count_, 1));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return HistogramBuckets::upper_bound(i);
    }
    return {};
  }

  // How many took at most `bound`; exact where `bound` is an upper bound of a bucket.
  std::uint64_t count_up_to(base::Duration bound) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size() && HistogramBuckets::upper_bound(i) <= bound; ++i) {
      seen += counts_[i];
    }
    return seen;
  }

  void merge(const HistogramSnapshot& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
  }

 private:
  friend class Histogram;
  std::array<std::uint64_t, HistogramBuckets::kCount> counts_{};
  std::uint64_t count_ = 0;  // The sum of counts_, so that a snapshot agrees with itself.
  base::Duration sum_{};
};

class Histogram {
 public:
  // REQUIRES: called by the one thread that owns the histogram. A negative time counts as none.
  void record(base::Duration time) {
    auto& count = counts_[HistogramBuckets::index_of(time)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    const std::int64_t ns = std::max<std::int64_t>(time.count(), 0);
    sum_ns_.store(sum_ns_.load(std::memory_order_relaxed) + ns, std::memory_order_relaxed);
  }

  HistogramSnapshot snapshot() const {
    HistogramSnapshot taken;
    taken.sum_ = base::Duration(sum_ns_.load(std::memory_order_relaxed));
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      taken.counts_[i] = counts_[i].load(std::memory_order_relaxed);
      taken.count_ += taken.counts_[i];
    }
    return taken;
  }

 private:
  std::array<std::atomic<std::uint64_t>, HistogramBuckets::kCount> counts_{};
  std::atomic<std::int64_t> sum_ns_{0};
};

}  // namespace pgweir::obs

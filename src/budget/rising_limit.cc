#include "budget/rising_limit.h"

#include <algorithm>

namespace pgweir::budget {
namespace {

constexpr base::Duration kRaiseAfter = std::chrono::seconds(10);
constexpr std::uint32_t kRaiseShare = 4;

}  // namespace

void RisingLimit::follow(std::uint32_t found, base::Instant now) {
  if (!limit_ || found <= *limit_) {
    limit_ = found;
    higher_since_.reset();
    return;
  }
  if (!higher_since_) {
    higher_since_ = now;
    lowest_higher_ = found;
  }
  lowest_higher_ = std::min(lowest_higher_, found);
  if (now - *higher_since_ < kRaiseAfter) return;
  const std::uint32_t gap = lowest_higher_ - *limit_;
  *limit_ += lowest_higher_ == pool::kUnlimited ? gap : std::max(gap / kRaiseShare, 1U);
  if (*limit_ < lowest_higher_) return;
  // Risen all the way: what is more than that starts a wait of its own.
  higher_since_.reset();
}

}  // namespace pgweir::budget

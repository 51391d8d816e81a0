#include "budget/allowance_tracker.h"

#include <algorithm>

namespace pgweir::budget {
namespace {

constexpr base::Duration kRaiseAfter = std::chrono::seconds(10);
constexpr std::uint32_t kRaiseShare = 4;

constexpr base::Duration kLookWhenTight = std::chrono::seconds(1);
constexpr base::Duration kLookWhenCalm = std::chrono::seconds(5);
// Fewer free slots than this above the margin are tight.
constexpr std::int64_t kTightAboveMargin = 2;

}  // namespace

void AllowanceTracker::handle_facts(const ServerFacts& facts, base::Instant now) {
  facts_ = facts;
  latest_ = compute_allowance(facts, options_);
  if (latest_->trouble == Trouble::None) follow(latest_->limit, now);
  next_look_ = now + interval();
}

void AllowanceTracker::handle_look_failed(base::Instant now) { next_look_ = now + interval(); }

void AllowanceTracker::set_options(const Options& options, base::Instant now) {
  options_ = options;
  if (facts_) latest_ = compute_allowance(*facts_, options_);
  limit_.reset();
  if (latest_ && latest_->trouble == Trouble::None) limit_ = latest_->limit;
  higher_since_.reset();
  next_look_ = now;
}

void AllowanceTracker::follow(std::uint32_t found, base::Instant now) {
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
  *limit_ += std::max((lowest_higher_ - *limit_) / kRaiseShare, 1U);
  if (*limit_ < lowest_higher_) return;
  // Risen all the way: what is more than that starts a wait of its own.
  higher_since_.reset();
}

base::Duration AllowanceTracker::interval() const {
  const bool is_tight = latest_ && latest_->trouble == Trouble::None &&
                        latest_->free_count <= latest_->margin + kTightAboveMargin;
  return is_tight ? kLookWhenTight : kLookWhenCalm;
}

}  // namespace pgweir::budget

// RisingLimit: a limit that goes down at once and up slowly. A higher one must have been found at
// every look of the last 10 s; then each look closes a quarter of the gap to the lowest of them, at
// least 1. Whoever gave up slots may want them back, and a server that restarts shows nobody for a
// moment.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "pool/options.h"

namespace pgweir::budget {

class RisingLimit {
 public:
  // What the last look found; the first is taken whole.
  void follow(std::uint32_t found, base::Instant now);
  // Nothing is limited any more: up to no limit it goes in one step, for want of a gap to divide.
  bool is_gone() const { return limit_ == pool::kUnlimited; }
  // nullopt before the first look.
  std::optional<std::uint32_t> get() const { return limit_; }

 private:
  std::optional<std::uint32_t> limit_;
  std::optional<base::Instant> higher_since_;  // Since when every look found more than the limit.
  std::uint32_t lowest_higher_ = 0;            // The least of what they found.
};

}  // namespace pgweir::budget

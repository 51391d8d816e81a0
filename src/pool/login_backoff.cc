#include "pool/login_backoff.h"

#include <algorithm>

namespace pgweir::pool {
namespace {

constexpr double kJitter = 0.25;

}  // namespace

std::uint32_t LoginBackoff::parallel_max(const Options& options, base::Instant now) const {
  if (now < until_) return 0;
  return is_failing() ? 1 : std::max(options.login_parallel_max, 1U);
}

void LoginBackoff::fail(const Options& options, base::Rng& rng, base::Instant now) {
  if (now < until_) return;
  base::Duration pause = options.login_backoff_min;
  for (std::uint32_t i = 0; i < failures_ && pause < options.login_backoff_max; ++i) pause *= 2;
  pause = std::min(pause, options.login_backoff_max);
  ++failures_;
  until_ = now + rng.jitter(pause, kJitter);
}

void LoginBackoff::succeed() {
  failures_ = 0;
  until_ = base::Instant::min();
}

}  // namespace pgweir::pool

// LoginBackoff: how eagerly a pool may log in after failures. Doubles from login_backoff_min to
// login_backoff_max with jitter, and starts anew with the first success.
#pragma once

#include <cstdint>

#include "base/rng.h"
#include "base/time.h"
#include "pool/options.h"

namespace pgweir::pool {

class LoginBackoff {
 public:
  // Until then no login may begin.
  base::Instant until() const { return until_; }
  bool is_failing() const { return failures_ > 0; }

  // How many logins may be under way: one is enough to find out whether the server is back.
  std::uint32_t parallel_max(const Options& options, base::Instant now) const;

  // A failure that arrives during a pause belongs to the one that began it: four logins that fail
  // together are one failure.
  void fail(const Options& options, base::Rng& rng, base::Instant now);
  void succeed();

 private:
  std::uint32_t failures_ = 0;
  base::Instant until_ = base::Instant::min();
};

}  // namespace pgweir::pool

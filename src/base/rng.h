// Rng: a small seeded generator (SplitMix64) for jitter and simulation. It is not for secrets:
// nonces and keys come from the operating system, through the shell.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace pgweir::base {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // In [0, bound). REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // True with the given probability.
  bool chance(double probability) {
    return static_cast<double>(next() >> 11U) * 0x1.0p-53 < probability;
  }
  // `about` give or take `share` of it, evenly spread: jitter(10s, 0.25) lies in [7.5s, 12.5s).
  Duration jitter(Duration about, double share) {
    const double unit = static_cast<double>(next() >> 11U) * 0x1.0p-53;
    return Duration(static_cast<Duration::rep>(static_cast<double>(about.count()) *
                                               (1.0 + share * (2.0 * unit - 1.0))));
  }

 private:
  std::uint64_t state_;
};

}  // namespace pgweir::base

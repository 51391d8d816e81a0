// The simulation as part of the tests: 2,000 seeds in four parts, so that they share the cores.
// build/<preset>/pgweir_sim runs more of them, and one of them again.
#include <gtest/gtest.h>

#include "sim/report_seed.h"
#include "sim/simulation.h"

namespace pgweir::sim {
namespace {

constexpr std::uint64_t kSeedsPerPart = 500;

class SimulationTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SimulationTest, holds_for_every_seed) {
  report_seed_on_abort();
  std::uint64_t answered_count = 0;
  for (std::uint64_t i = 0; i < kSeedsPerPart; ++i) {
    const std::uint64_t seed = GetParam() * kSeedsPerPart + i + 1;
    set_current_seed(seed);
    answered_count += simulate(seed).answered_count;
    if ((i + 1) % 100 == 0) {
      std::printf("part %d: %d seeds, %d units answered\n", static_cast<int>(GetParam()),
                  static_cast<int>(i + 1), static_cast<int>(answered_count));
      std::fflush(stdout);
    }
  }
  // Otherwise the simulation would not show anything.
  EXPECT_GT(answered_count, kSeedsPerPart * 10);
}

INSTANTIATE_TEST_SUITE_P(Parts, SimulationTest, testing::Range<std::uint64_t>(0, 4));

}  // namespace
}  // namespace pgweir::sim

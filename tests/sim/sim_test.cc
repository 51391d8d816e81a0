// The simulation as it runs under sanitizers: 500 seeds in four parts, so that they share the
// cores, and scenarios of their own; 100 under ThreadSanitizer, since there is one thread only. As
// a release pgweir_sim runs 2,000 (CMakeLists.txt), more if asked, and one of them again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "sim/report_seed.h"
#include "sim/simulation.h"

namespace pgweir::sim {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeedsPerPart = 25;
#else
constexpr std::uint64_t kSeedsPerPart = 125;
#endif

class SimulationTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SimulationTest, holds_for_every_seed) {
  report_seed_on_abort();
  std::uint64_t answered_count = 0;
  for (std::uint64_t i = 0; i < kSeedsPerPart; ++i) {
    const std::uint64_t seed = GetParam() * kSeedsPerPart + i + 1;
    set_current_seed(seed);
    answered_count += simulate(seed).answered_count;
    if ((i + 1) % 25 == 0) {
      std::printf("part %d: %d seeds, %d units answered\n", static_cast<int>(GetParam()),
                  static_cast<int>(i + 1), static_cast<int>(answered_count));
      std::fflush(stdout);
    }
  }
  // Otherwise the simulation would not show anything.
  EXPECT_GT(answered_count, kSeedsPerPart * 10);
}

INSTANTIATE_TEST_SUITE_P(Parts, SimulationTest, testing::Range<std::uint64_t>(0, 4));

// Three databases on one server, a limit that is smaller than their number, everybody always busy.
Scenario three_pools(std::uint32_t server_limit) {
  Scenario scenario;
  scenario.server_limit = server_limit;
  scenario.connection_count_max = server_limit;
  scenario.client_count = 12;
  scenario.duration = std::chrono::seconds(1);
  scenario.rules.weights[0] = 1;  // Simple queries only.
  scenario.rules.units_min = scenario.rules.units_max = 1'000'000;
  scenario.rules.lives_max = 1;
  scenario.options.auth_method = proxy::AuthMethod::Any;
  for (const char* name : {"db0", "db1", "db2"}) {
    proxy::DatabaseOptions& database = scenario.options.databases.emplace_back();
    database.name = name;
    database.hosts.emplace_back().host = address_of_node(0);
    database.tls.mode = proxy::SslMode::Disable;
  }
  return scenario;
}

TEST(PoolsTest, three_under_one_server_limit_are_each_served) {
  for (const std::uint32_t server_limit : {1U, 2U, 4U}) {
    set_current_seed(server_limit);
    Simulation simulation(server_limit, three_pools(server_limit), false);
    const Outcome outcome = simulation.run();
    std::array<std::uint64_t, 3> by_pool{};
    for (std::size_t i = 0; i < outcome.answered_by_client.size(); ++i) {
      by_pool[i % 3] += outcome.answered_by_client[i];
    }
    const auto [least, most] = std::minmax_element(by_pool.begin(), by_pool.end());
    EXPECT_GT(*least, 50U) << "with a limit of " << server_limit;
    EXPECT_GT(*least * 2, *most) << "with a limit of " << server_limit;
    const auto worst =
        *std::min_element(outcome.answered_by_client.begin(), outcome.answered_by_client.end());
    EXPECT_GT(worst, 0U) << "with a limit of " << server_limit;
  }
}

}  // namespace
}  // namespace pgweir::sim

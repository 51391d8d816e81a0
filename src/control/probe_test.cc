#include "control/probe.h"

#include <gtest/gtest.h>

namespace pgweir::control {
namespace {

TEST(ProbeTest, refuses_a_discovery_that_is_not_one_row) {
  EXPECT_FALSE(read_discovery({}, 1).has_value());
  EXPECT_FALSE(read_discovery({{"1"}}, 1).has_value());
}

TEST(ProbeTest, sees_another_pooler_by_the_pid) {
  const Row row{"150020", "100", "3", "0", "t", "4711", "7", "9", std::nullopt, std::nullopt};
  EXPECT_FALSE(read_discovery({row}, 4711).value().is_behind_pooler);
  EXPECT_TRUE(read_discovery({row}, 4712).value().is_behind_pooler);
}

TEST(ProbeTest, names_own_pids_as_an_array) {
  EXPECT_EQ(discovery_statement({}).parameters, (std::vector<std::string>{"{}"}));
  EXPECT_EQ(usage_statement({1, 23}).parameters, (std::vector<std::string>{"{1,23}"}));
}

TEST(ProbeTest, leaves_out_a_group_that_cannot_be_read) {
  const auto usages =
      read_usage({{"app", "shop", "web", "3"}, {"app", "shop", "", "many"}, {"app"}});
  ASSERT_EQ(usages.size(), 1U);
  EXPECT_EQ(usages[0].application, "web");
  EXPECT_EQ(usages[0].count, 3U);
}

TEST(ProbeTest, writes_versions_as_people_do) {
  EXPECT_EQ(version_text(150020), "15.20");
  EXPECT_EQ(version_text(90624), "9.6.24");
}

}  // namespace
}  // namespace pgweir::control

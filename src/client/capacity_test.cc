#include "client/capacity.h"

#include <gtest/gtest.h>

namespace pgweir::client {
namespace {

budget::ServerFacts facts_of(std::int64_t max_connections) {
  return {.version = 160004,
          .max_connections = max_connections,
          .superuser_reserved = 3,
          .reserved = 2,
          .others_total = 40,
          .ours = 1};
}

TEST(CapacityTest, D23_what_is_reserved_is_taken_off_and_others_are_not) {
  const auto capacity = compute_capacity(facts_of(100), "app", "shop");
  ASSERT_TRUE(capacity);
  EXPECT_EQ(capacity->total, 95);
  EXPECT_EQ(budget::describe(*capacity),
            "100 max_connections - 3 superuser_reserved_connections - 2 reserved_connections = 95");
}

TEST(CapacityTest, D23_the_tightest_limit_of_role_and_database_counts) {
  budget::ServerFacts facts = facts_of(100);
  facts.roles = {{.name = "batch", .limit = 2}, {.name = "app", .limit = 30}};
  facts.databases = {{.name = "archive", .limit = 1}, {.name = "shop", .limit = 20}};
  const auto total_for = [&](const char* role, const char* database) {
    return compute_capacity(facts, role, database)->total;
  };
  EXPECT_EQ(total_for("app", "shop"), 20);
  EXPECT_EQ(total_for("app", "other"), 30);
  EXPECT_EQ(total_for("batch", "shop"), 2);
  facts.is_superuser = true;  // Held to no such limit.
  EXPECT_EQ(total_for("app", "shop"), 95);
}

TEST(CapacityTest, D23_nothing_is_known_behind_a_pooler) {
  budget::ServerFacts facts = facts_of(100);
  facts.is_behind_pooler = true;
  EXPECT_FALSE(compute_capacity(facts, "app", "shop"));
}

}  // namespace
}  // namespace pgweir::client

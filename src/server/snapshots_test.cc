#include "server/snapshots.h"

#include <gtest/gtest.h>

namespace pgweir::server {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant kNow{1h};

control::NodeSnapshot looked_at(const std::string& name, std::uint32_t limit) {
  control::NodeSnapshot node;
  node.node = name;
  node.is_answering = true;
  node.client_backends = 5;
  node.counted = kNow - 1s;
  node.limit = limit;
  return node;
}

TEST(HealthOfTest, knows_no_limit_before_the_first_look) {
  control::NodeSnapshot node;
  node.node = "db:5432";
  const auto health = health_of({{node}}, 0, kNow);
  EXPECT_FALSE(health.is_connected);
  EXPECT_EQ(health.reason, "pgweir has not looked at the database yet");
  EXPECT_EQ(health.pool.limit, std::nullopt);
  EXPECT_EQ(health.active_connections, std::nullopt);
  EXPECT_EQ(health_of({{node}}, 7, kNow).pool.limit, 7U);
}

TEST(HealthOfTest, adds_up_what_the_nodes_say) {
  auto older = looked_at("b:5432", 20);
  older.counted = kNow - 3s;
  const auto health = health_of({{looked_at("a:5432", 10), older}}, 0, kNow);
  EXPECT_TRUE(health.is_connected);
  EXPECT_EQ(health.pool.limit, 30U);
  EXPECT_EQ(health.active_connections, 10U);
  EXPECT_EQ(health.age, base::Duration(3s));
}

TEST(HealthOfTest, shows_a_set_limit_once_however_many_nodes_there_are) {
  EXPECT_EQ(health_of({{looked_at("a:5432", 8), looked_at("b:5432", 8)}}, 8, kNow).pool.limit, 8U);
  EXPECT_EQ(health_of({{looked_at("a:5432", 3)}}, 8, kNow).pool.limit, 3U);
}

TEST(HealthOfTest, names_the_node_that_does_not_answer_among_many) {
  auto ill = looked_at("b:5432", 8);
  ill.is_answering = false;
  ill.reason = "nobody listens there";
  const auto health = health_of({{looked_at("a:5432", 8), ill}}, 0, kNow);
  EXPECT_FALSE(health.is_connected);
  EXPECT_EQ(health.reason, "b:5432: nobody listens there");
}

TEST(HealthOfTest, an_answer_that_is_overdue_is_none) {
  auto node = looked_at("a:5432", 8);
  node.next_count_due = kNow;
  EXPECT_TRUE(health_of({{node}}, 0, kNow).is_connected);
  const auto late = health_of({{node}}, 0, kNow + 2s);
  EXPECT_FALSE(late.is_connected);
  EXPECT_EQ(late.reason, "the server does not answer; its last word is 3 s old");
  EXPECT_EQ(late.age, base::Duration(3s));
  EXPECT_EQ(health_of({{node, looked_at("b:5432", 8)}}, 0, kNow + 2s).reason,
            "a:5432: the server does not answer; its last word is 3 s old");
  // Without clients nobody asks.
  node.next_count_due = base::kNever;
  EXPECT_TRUE(health_of({{node}}, 0, kNow + 1h).is_connected);
}

TEST(HealthOfTest, says_that_there_is_nobody_to_ask_as) {
  const auto health = health_of({}, 0, kNow);
  EXPECT_FALSE(health.is_connected);
  EXPECT_FALSE(health.reason.empty());
}

}  // namespace
}  // namespace pgweir::server

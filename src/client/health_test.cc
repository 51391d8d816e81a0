#include "pgweir/health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

class HealthTest : public PoolScene {};

TEST_F(HealthTest, says_that_the_database_answers_and_how_the_pool_is) {
  database_pool db(options("3"));
  const auto held = db.acquire();
  const health_report report = check_health(db);
  EXPECT_TRUE(report.is_ok);
  const auto body = nlohmann::json::parse(report.body);
  EXPECT_EQ(body["status"], "ok");
  EXPECT_EQ(body["database"]["connected"], true);
  EXPECT_GE(body["database"]["activeConnections"], 2);
  EXPECT_EQ(body["pool"]["limit"], 3);
  EXPECT_EQ(body["pool"]["inUse"], 1);
  EXPECT_EQ(body["server"]["maxConnections"], 20);
}

TEST_F(HealthTest, says_why_it_does_not) {
  database_pool db{database_options("postgresql://app:trout@127.0.0.1:1/shop")};
  const health_report report = check_health(db);
  EXPECT_FALSE(report.is_ok);
  const auto body = nlohmann::json::parse(report.body);
  EXPECT_EQ(body["status"], "error");
  EXPECT_EQ(body["database"]["connected"], false);
  EXPECT_THAT(
      body["database"]["reason"].get<std::string>(),
      testing::AllOf(testing::HasSubstr("refused"), testing::Not(testing::HasSubstr("trout"))));
}

}  // namespace
}  // namespace pgweir::client

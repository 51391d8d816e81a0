// What the control thread asks goes to the Relay that has a server for it.

#include "proxy/errands.h"

#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

class ErrandsTest : public testing::Test {
 protected:
  // This Relay is the second of three.
  explicit ErrandsTest(const std::function<void(Options&)>& adjust = {}) : stage(2, adjust, 1, 3) {}

  std::unique_ptr<RunErrand> make_errand(std::string database = "app") {
    auto errand = std::make_unique<RunErrand>();
    errand->database = std::move(database);
    errand->user = "app";
    errand->sql = "select 1";
    errand->time_max = std::chrono::seconds(5);
    return errand;
  }
  // Whether it runs here; else it is in `passed_on`.
  bool runs_here(std::unique_ptr<RunErrand> errand) {
    stage.deliver(std::move(errand));
    auto passed = stage.take<RunErrand>();
    if (passed.empty()) return true;
    passed_on = std::move(passed.front());
    return false;
  }

  Stage stage;
  std::unique_ptr<RunErrand> passed_on;
};

TEST_F(ErrandsTest, one_without_a_server_here_is_passed_on) {
  EXPECT_FALSE(runs_here(make_errand()));
  EXPECT_EQ(stage.server_count(), 0U);
}

TEST_F(ErrandsTest, one_runs_where_a_pool_of_its_role_has_a_server) {
  stage.add_client();
  ASSERT_EQ(stage.server_count(), 1U);
  stage.heard(stage.server());
  EXPECT_TRUE(runs_here(make_errand()));
  EXPECT_NE(stage.heard(stage.server()).find("select 1"), std::string::npos);
}

TEST_F(ErrandsTest, one_waits_where_a_client_waits) {
  stage.has_slow_logins = true;
  stage.add_client();
  EXPECT_TRUE(runs_here(make_errand()));
  EXPECT_EQ(stage.waiting(), 2U);
}

// The first pool that anybody asks about lives on the first Relay, the next one here.
TEST_F(ErrandsTest, one_that_nobody_has_a_server_for_runs_at_home) {
  stage.has_slow_logins = true;
  auto errand = make_errand();
  errand->relays_asked = 2;
  ASSERT_FALSE(runs_here(std::move(errand)));
  EXPECT_EQ(stage.waiting(), 0U);
  // Another user's is at home here.
  errand = make_errand();
  errand->user = "other";
  errand->relays_asked = 2;
  EXPECT_TRUE(runs_here(std::move(errand)));
  EXPECT_EQ(stage.waiting(), 1U);
}

TEST_F(ErrandsTest, none_goes_round_for_ever) {
  stage.has_slow_logins = true;
  stage.add_client("app");  // Its pool's home is the first Relay.
  stage.pass(std::chrono::minutes(2));
  auto errand = make_errand();
  errand->user = "other";
  int hops = 0;
  while (!runs_here(std::move(errand))) {
    errand = std::move(passed_on);
    ASSERT_LE(++hops, 3);
  }
}

TEST_F(ErrandsTest, one_for_a_database_that_has_gone_is_answered_at_once) {
  EXPECT_TRUE(runs_here(make_errand("gone")));
  const auto done = stage.take<ErrandDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0]->failure);
}

// Clients of several users log in as one, and none of them is that one.
class SharedRoleTest : public ErrandsTest {
 protected:
  SharedRoleTest()
      : ErrandsTest([](Options& options) { options.databases.front().user = "app"; }) {}
};

TEST_F(SharedRoleTest, a_pool_of_another_user_serves_who_logs_in_alike) {
  stage.add_client("somebody");
  stage.heard(stage.server());
  EXPECT_TRUE(runs_here(make_errand()));
  EXPECT_NE(stage.heard(stage.server()).find("select 1"), std::string::npos);
}

}  // namespace
}  // namespace pgweir::proxy

// What a client is told about who has the servers, when some of them are on other Relays.

#include "proxy/holders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr auto kPatience = std::chrono::seconds(1);

class HoldersTest : public testing::Test {
 protected:
  explicit HoldersTest(ErrorDetail detail = ErrorDetail::Full)
      : stage(
            1,
            [detail](Options& options) {
              options.error_detail = detail;
              options.databases.front().pool.wait_max = kPatience;
            },
            0, 3) {}

  // A client has the only server, with this statement, and another one waits.
  Party wait_behind(std::string_view statement) {
    stage.say(stage.add_client("app", {{"application_name", "here"}}), say::query(statement));
    const Party waiter = stage.add_client("app", {{"application_name", "here"}});
    stage.say(waiter, say::query("select 1"));
    return waiter;
  }
  std::unique_ptr<HoldersTold> told_by(pool::ReactorIndex relay, pool::LevelId level) {
    auto told = std::make_unique<HoldersTold>();
    told->from = relay;
    told->pool_level = level;
    told->counts.longest.push_back({.client = "elsewhere at 192.0.2.7:1",
                                    .doing = "active",
                                    .since = base::Instant{} + std::chrono::minutes(59),
                                    .statement = "select ?"});
    told->counts.holder_count = 3;
    told->counts.stranger_count = 2;
    return told;
  }

  Stage stage;
};

TEST_F(HoldersTest, those_of_other_relays_are_named_and_counted) {
  const Party waiter = wait_behind("select 42");
  const auto asked = stage.take<HoldersAsked>();
  ASSERT_EQ(asked.size(), 2U) << "both others";
  stage.deliver(told_by(1, asked.front()->pool_level));
  stage.deliver(told_by(2, asked.front()->pool_level));
  stage.pass(kPatience);
  const std::string heard = stage.heard(waiter);
  EXPECT_THAT(heard, HasSubstr("7 of this database and user are in use: elsewhere at 192.0.2.7:1"));
  EXPECT_THAT(heard, HasSubstr("; here at "));
  EXPECT_THAT(heard, HasSubstr("; and 4 more. Other users hold 4."));
}

TEST_F(HoldersTest, nobody_is_asked_while_nobody_waits_and_each_pool_some_times_a_second) {
  const Party first = stage.add_client();  // It has waited for the first login.
  stage.take<HoldersAsked>();
  stage.pass(milliseconds(150));
  stage.say(first, say::query("select 1"));
  EXPECT_TRUE(stage.take<HoldersAsked>().empty());
  for (int i = 0; i < 20; ++i) stage.say(stage.add_client(), say::query("select 1"));
  EXPECT_EQ(stage.take<HoldersAsked>().size(), 2U);
  stage.dawdle(milliseconds(150));
  stage.say(stage.add_client(), say::query("select 1"));
  EXPECT_EQ(stage.take<HoldersAsked>().size(), 2U);
}

// Who begins to wait just after a question was asked hears of what has changed since.
TEST_F(HoldersTest, a_question_that_comes_too_soon_is_asked_a_little_later) {
  const Party first = stage.add_client();  // It has waited for the first login.
  stage.take<HoldersAsked>();
  stage.dawdle(milliseconds(20));
  stage.say(first, say::query("select 1"));
  stage.say(stage.add_client(), say::query("select 1"));
  EXPECT_TRUE(stage.take<HoldersAsked>().empty());
  stage.pass(milliseconds(81));
  EXPECT_EQ(stage.take<HoldersAsked>().size(), 2U);
  stage.pass(milliseconds(200));
  EXPECT_TRUE(stage.take<HoldersAsked>().empty()) << "only a sweep asks again";
}

TEST_F(HoldersTest, what_was_said_long_ago_is_not_repeated) {
  const Party waiter = wait_behind("select 42");
  const auto asked = stage.take<HoldersAsked>();
  stage.dawdle(milliseconds(10));
  stage.deliver(told_by(1, asked.front()->pool_level));
  stage.dawdle(std::chrono::seconds(2));
  stage.pass(kPatience);
  EXPECT_THAT(stage.heard(waiter), HasSubstr("1 of this database and user are in use: here at "));
}

TEST_F(HoldersTest, what_is_told_to_others_has_no_literals) {
  wait_behind("select 'secret', 4711");
  auto asked = std::make_unique<HoldersAsked>();
  asked->from = 1;
  asked->pool_level = stage.take<HoldersAsked>().front()->pool_level;
  stage.deliver(std::move(asked));
  const auto told = stage.take<HoldersTold>();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]->counts.holder_count, 1U);
  EXPECT_EQ(told[0]->counts.stranger_count, 0U);
  EXPECT_EQ(told[0]->counts.waiting_count, 1U);
  ASSERT_EQ(told[0]->counts.longest.size(), 1U);
  EXPECT_EQ(told[0]->counts.longest[0].statement, "select ?, ?");
}

// Who asks about a pool that was never used here hears how many others there are.
TEST_F(HoldersTest, strangers_are_only_counted) {
  stage.say(stage.add_client(), say::query("select 1"));
  auto asked = std::make_unique<HoldersAsked>();
  asked->pool_level = stage.exchange().level("pool of others", 1);
  stage.deliver(std::move(asked));
  const auto told = stage.take<HoldersTold>();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]->counts.stranger_count, 1U);
  EXPECT_TRUE(told[0]->counts.longest.empty());
}

class OwnHoldersTest : public HoldersTest {
 protected:
  OwnHoldersTest() : HoldersTest(ErrorDetail::Own) {}
};
TEST_F(OwnHoldersTest, strangers_elsewhere_are_not_even_counted) {
  const Party waiter = wait_behind("select 42");
  stage.deliver(told_by(1, stage.take<HoldersAsked>().front()->pool_level));
  stage.pass(kPatience);
  const std::string heard = stage.heard(waiter);
  EXPECT_THAT(heard, HasSubstr("4 of this database and user"));
  EXPECT_THAT(heard, Not(HasSubstr("ther users")));
}

class NoHoldersTest : public HoldersTest {
 protected:
  NoHoldersTest() : HoldersTest(ErrorDetail::None) {}
};
TEST_F(NoHoldersTest, nobody_is_asked) {
  wait_behind("select 42");
  EXPECT_TRUE(stage.take<HoldersAsked>().empty());
}

}  // namespace
}  // namespace pgweir::proxy

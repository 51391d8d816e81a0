// How often the Relay wakes up: often while anything may be due, seldom while all are at rest, and
// whether the control thread hears of it.

#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using std::chrono::seconds;
using Party = Stage::Party;

// Wake-ups in a minute from now on.
std::size_t wakes_in_a_minute(Stage& stage) {
  std::size_t count = 0;
  for (base::Duration left = seconds(60); left > base::Duration::zero();) {
    const base::Duration step = std::chrono::milliseconds(100);
    const base::Instant due = stage.io.wake();
    stage.pass(step);
    if (stage.io.wake() != due) ++count;
    left -= step;
  }
  return count;
}

std::string rest_reported(Stage& stage) {
  std::string told;
  for (const auto& changed : stage.take<ClientsChanged>()) {
    told += changed->are_at_rest ? "rest " : changed->has_clients ? "active " : "none ";
  }
  return told;
}

TEST(RestTest, idle_clients_and_servers_wake_nobody_often) {
  Stage stage(2);
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1"));
  stage.say(stage.server(), say::one_row());
  stage.add_client();
  stage.pass(seconds(2));
  EXPECT_LE(wakes_in_a_minute(stage), 24U);
}

TEST(RestTest, who_is_in_a_transaction_is_looked_at_often) {
  Stage stage(1);
  const Party holder = stage.add_client();
  stage.say(holder, say::query("begin"));
  stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
  stage.pass(seconds(10));
  EXPECT_GE(wakes_in_a_minute(stage), 110U);
}

TEST(RestTest, who_waits_is_looked_at_often) {
  Stage stage(1);
  stage.has_slow_logins = true;
  const Party client = stage.add_client();
  stage.pass(seconds(1));
  EXPECT_EQ(stage.waiting(), 1U) << static_cast<std::uint64_t>(client);
  EXPECT_GE(wakes_in_a_minute(stage), 50U);  // Until pool_timeout has refused it.
}

TEST(RestTest, a_database_that_is_gone_keeps_nobody_awake_once_its_clients_have_gone) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("begin"));
  stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
  auto changed = std::make_unique<OptionsChanged>();
  changed->options = std::make_shared<Options>();
  stage.deliver(std::move(changed));
  stage.say(client, say::query("commit"));
  stage.say(stage.server(), say::complete("COMMIT") + say::ready());
  EXPECT_TRUE(stage.is_closed(client));
  stage.end(stage.server());
  stage.pass(seconds(5));
  EXPECT_LE(wakes_in_a_minute(stage), 24U);
}

TEST(RestTest, questions_of_our_own_do_not_count_as_activity) {
  Stage stage(2);
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1"));
  stage.say(stage.server(), say::one_row());
  rest_reported(stage);
  for (int i = 0; i < 10; ++i) {
    stage.pass(seconds(1));
    stage.deliver(std::make_unique<PermitsFreed>());
  }
  EXPECT_EQ(rest_reported(stage), "rest ");
}

TEST(RestTest, clients_that_come_as_others_go_are_reported_once) {
  Stage stage;
  for (int i = 0; i < 5; ++i) stage.end(stage.add_client());
  EXPECT_EQ(rest_reported(stage), "active ");
  stage.pass(seconds(5));
  EXPECT_EQ(rest_reported(stage), "none ");
  stage.end(stage.add_client());
  EXPECT_EQ(rest_reported(stage), "active ");
}

TEST(RestTest, rest_is_reported_after_some_seconds_and_ends_with_the_next_word) {
  Stage stage;
  const Party client = stage.add_client();
  EXPECT_EQ(rest_reported(stage), "active ");
  stage.pass(seconds(4));
  EXPECT_EQ(rest_reported(stage), "");
  stage.pass(seconds(4));
  EXPECT_EQ(rest_reported(stage), "rest ");
  stage.say(client, say::query("select 1"));
  EXPECT_EQ(rest_reported(stage), "active ");
  stage.pass(seconds(60));
  EXPECT_EQ(rest_reported(stage), "");  // It is not answered yet.
  stage.say(stage.server(), say::one_row());
  stage.pass(seconds(8));
  EXPECT_EQ(rest_reported(stage), "rest ");
  stage.end(client);
  stage.pass(seconds(60));
  EXPECT_EQ(rest_reported(stage), "none ");
}

}  // namespace
}  // namespace pgweir::proxy

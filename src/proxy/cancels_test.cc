// Cancel requests on their way to servers: one at a time, to the right one, and no server is lent
// while one may still strike.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;

class CancelsTest : public testing::Test {
 protected:
  void SetUp() override {
    stage.say(client, say::query("select pg_sleep(100)"));
    stage.heard(stage.server());
  }
  // Somebody asks for it on a connection of that number.
  void ask(const wire::CancelKey& key, std::uint32_t asker) {
    auto asked = std::make_unique<CancelAsked>();
    asked->key = key;
    asked->asker = base::make_connection_id(asker, 7);
    stage.deliver(std::move(asked));
  }
  void conclude(const DeliverCancel& order, bool is_confirmed = true) {
    auto delivered = std::make_unique<CancelDelivered>();
    delivered->token = order.token;
    delivered->is_confirmed = is_confirmed;
    stage.deliver(std::move(delivered));
  }
  std::string cancelled() { return say::error("57014") + say::ready(); }

  Stage stage;
  Party client = stage.add_client();
};

TEST_F(CancelsTest, one_is_delivered_with_the_key_of_the_server_and_its_asker_told_at_its_end) {
  ask(stage.key_of(client), 1);
  const auto orders = stage.take<DeliverCancel>();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0]->key.pid, 1000 + base::slot_of(stage.server()));
  EXPECT_TRUE(stage.take<CancelAnswered>().empty());
  conclude(*orders[0]);
  EXPECT_EQ(stage.take<CancelAnswered>().size(), 1U);
}

TEST_F(CancelsTest, a_second_one_waits_for_the_first_and_is_delivered_then) {
  ask(stage.key_of(client), 1);
  ask(stage.key_of(client), 2);
  ask(stage.key_of(client), 3);
  auto orders = stage.take<DeliverCancel>();
  ASSERT_EQ(orders.size(), 1U) << "PostgreSQL has few slots for those who connect";
  conclude(*orders[0]);
  orders = stage.take<DeliverCancel>();
  ASSERT_EQ(orders.size(), 1U);
  stage.say(stage.server(), cancelled());
  conclude(*orders[0]);
  EXPECT_EQ(stage.take<CancelAnswered>().size(), 3U);
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
}

TEST_F(CancelsTest, a_second_one_is_not_delivered_to_a_server_that_has_finished) {
  ask(stage.key_of(client), 1);
  ask(stage.key_of(client), 2);
  stage.say(stage.server(), cancelled());
  conclude(*stage.take<DeliverCancel>().at(0));
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
  EXPECT_EQ(stage.take<CancelAnswered>().size(), 2U);
  EXPECT_EQ(stage.lent(), 0U);
}

TEST_F(CancelsTest, no_server_is_lent_while_one_is_under_way) {
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  ask(stage.key_of(client), 1);
  stage.say(stage.server(), cancelled());
  EXPECT_EQ(stage.heard(client), cancelled());
  EXPECT_EQ(stage.heard(stage.server()), "") << "it would strike the next one's statement";
  conclude(*stage.take<DeliverCancel>().at(0));
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
}

TEST_F(CancelsTest, one_that_is_not_confirmed_costs_the_server) {
  ask(stage.key_of(client), 1);
  stage.say(stage.server(), cancelled());
  stage.heard(client);
  conclude(*stage.take<DeliverCancel>().at(0), false);
  EXPECT_THAT(stage.heard(client), HasSubstr("C08006"));
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
}

TEST_F(CancelsTest, one_with_a_wrong_secret_is_answered_and_comes_to_nothing) {
  wire::CancelKey key = stage.key_of(client);
  key.secret[3] ^= std::byte{1};
  ask(key, 1);
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
  EXPECT_EQ(stage.take<CancelAnswered>().size(), 1U);
}

TEST_F(CancelsTest, one_of_a_client_that_waits_is_answered_without_a_server) {
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  ask(stage.key_of(next), 1);
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
  EXPECT_EQ(stage.waiting(), 0U);
  const std::string told = stage.heard(next);
  EXPECT_THAT(told, HasSubstr("C57014"));
  EXPECT_THAT(told, testing::EndsWith(say::ready()));
}

TEST_F(CancelsTest, one_that_comes_while_a_parse_of_ours_runs_is_for_what_follows_it) {
  stage.say(stage.server(), cancelled());
  stage.say(client, say::parse("s", "select $1") + say::bind("s") + say::execute() + say::sync());
  const std::string done = say::bind_complete() + say::complete("SELECT 1") + say::ready();
  stage.say(stage.server(), say::parse_complete() + done);
  stage.end(stage.server());
  stage.heard(client);
  stage.say(client, say::bind("s") + say::execute() + say::sync());
  ask(stage.key_of(client), 1);
  EXPECT_TRUE(stage.take<DeliverCancel>().empty()) << "the Parse is not the client's";
  EXPECT_TRUE(stage.take<CancelAnswered>().empty());
  stage.say(stage.server(1), say::parse_complete());
  const auto orders = stage.take<DeliverCancel>();
  ASSERT_EQ(orders.size(), 1U);
  stage.say(stage.server(1), cancelled());
  conclude(*orders[0]);
  EXPECT_EQ(stage.take<CancelAnswered>().size(), 1U);
  EXPECT_EQ(stage.heard(client), cancelled());
  EXPECT_EQ(stage.lent(), 0U);
}

TEST_F(CancelsTest, one_that_nothing_follows_is_answered_and_comes_to_nothing) {
  stage.say(stage.server(), cancelled());
  stage.say(client, say::parse("s", "select $1") + say::bind("s") + say::execute() + say::sync());
  const std::string done = say::bind_complete() + say::complete("SELECT 1") + say::ready();
  stage.say(stage.server(), say::parse_complete() + done);
  stage.end(stage.server());
  stage.say(client, say::bind("s") + say::execute() + say::sync());
  ask(stage.key_of(client), 1);
  stage.end(client);
  EXPECT_EQ(stage.take<CancelAnswered>().size(), 1U);
}

TEST_F(CancelsTest, what_a_vanished_client_left_in_a_pipeline_is_cancelled_one_by_one) {
  stage.say(client, say::query("select pg_sleep(101)") + say::query("select pg_sleep(102)"));
  stage.heard(stage.server());
  stage.end(client);
  for (int running = 3; running > 0; --running) {
    SCOPED_TRACE(running);
    const auto orders = stage.take<DeliverCancel>();
    ASSERT_EQ(orders.size(), 1U);
    conclude(*orders[0]);
    EXPECT_TRUE(stage.take<DeliverCancel>().empty()) << "as long as nothing has come of the first";
    stage.say(stage.server(), cancelled());
  }
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
  EXPECT_EQ(stage.lent(), 0U);
}

TEST_F(CancelsTest, what_a_vanished_client_left_running_is_cancelled_and_cleaned_up) {
  stage.end(client);
  const auto orders = stage.take<DeliverCancel>();
  ASSERT_EQ(orders.size(), 1U);
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  stage.say(stage.server(), cancelled());
  EXPECT_EQ(stage.heard(stage.server()), "");
  conclude(*orders[0]);
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
}

}  // namespace
}  // namespace pgweir::proxy

// Who has a server and for how long: what a client has to send for one, and what ends its turn.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/events.h"
#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using std::chrono::seconds;
using Party = Stage::Party;

TEST(LendingTest, a_query_takes_a_server_and_its_last_answer_gives_it_back) {
  Stage stage;
  const Party client = stage.add_client();
  EXPECT_EQ(stage.lent(), 0U);
  stage.say(client, say::query("select 1"));
  EXPECT_EQ(stage.lent(), 1U);
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(client), say::one_row());
}

class BeginningOfAMessage : public testing::TestWithParam<say::Sample> {};

TEST_P(BeginningOfAMessage, lends_no_server) {
  Stage stage;
  const Party slow = stage.add_client();
  const Party other = stage.add_client();
  const std::string& message = GetParam().bytes;
  stage.say(slow, message.substr(0, 5));
  EXPECT_EQ(stage.lent(), 0U);
  stage.say(slow, message.substr(5, message.size() - 6));
  EXPECT_EQ(stage.lent(), 0U);
  // The one server is free for whoever wants something.
  stage.say(other, say::query("select 1"));
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
  stage.say(stage.server(), say::one_row());
  stage.say(slow, message.substr(message.size() - 1));
  EXPECT_EQ(stage.lent(), 1U);
  EXPECT_EQ(stage.heard(stage.server()).front(), message.front());
}

INSTANTIATE_TEST_SUITE_P(EachKind, BeginningOfAMessage,
                         testing::ValuesIn(say::samples({say::query("select 1"),
                                                         say::parse("", "select 1"), say::bind(""),
                                                         say::describe("s"), say::execute(),
                                                         say::close("s"), say::function_call()})),
                         say::name_of);

TEST(LendingTest, a_sync_or_a_flush_with_nothing_before_it_needs_no_server) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::flush() + say::sync());
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(client), say::ready());
  EXPECT_EQ(stage.heard(stage.server()), "");
}

TEST(LendingTest, a_close_that_only_pgweir_answers_gives_the_server_back) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::parse("s", "select $1") + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::ready());
  stage.heard(client);
  stage.heard(stage.server());
  stage.say(client, say::close("s") + say::flush());
  EXPECT_EQ(stage.heard(client), say::close_complete());
  EXPECT_EQ(stage.lent(), 0U);
}

TEST(LendingTest, what_is_bound_behind_the_end_of_a_pin_is_not_ended_by_it) {
  Stage stage;
  const Party client = stage.add_client();
  const std::string bind_p = say::message('B', say::zero_ended("p") + say::zero_ended("") +
                                                   say::int16(0) + say::int16(0) + say::int16(0));
  const std::string execute_p = say::message('E', say::zero_ended("p") + say::int32(0));
  stage.say(client, say::query("select pg_advisory_unlock_all()") +
                        say::parse("", "select pg_advisory_lock(1)") + bind_p + execute_p +
                        say::sync());
  stage.heard(stage.server());
  stage.say(stage.server(), say::one_row() + say::parse_complete() + say::bind_complete() +
                                say::data_row("") + say::complete("SELECT 1") + say::ready());
  EXPECT_EQ(stage.heard(stage.server()), "") << "it is not reset: the client keeps it";
}

TEST(LendingTest, errors_of_the_server_are_counted_by_their_code) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1/0"));
  stage.say(stage.server(), say::error("22012") + say::ready());
  stage.say(client, say::parse("", "select no") + say::sync());
  stage.say(stage.server(), say::error("42703") + say::ready());
  EXPECT_EQ(stage.log.count(kServerError, "22012"), 1U);
  EXPECT_EQ(stage.log.count(kServerError), 2U);
}

TEST(LendingTest, an_idle_server_that_has_a_new_default_is_believed) {
  Stage stage(2);
  const Party client = stage.add_client();
  const Party busy = stage.add_client();
  stage.say(busy, say::query("select 1"));
  const std::string told = say::parameter_status("TimeZone", "Asia/Tokyo");
  stage.say(stage.server(), say::one_row());
  stage.heard(busy);
  stage.say(stage.server(), told + told);
  EXPECT_EQ(stage.heard(client), told);
  EXPECT_EQ(stage.heard(busy), told);
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1")) << "and is asked for nothing";
  EXPECT_THAT(stage.welcome_of(stage.add_client()), testing::HasSubstr(told));
}

TEST(LendingTest, a_client_keeps_its_own_value_whatever_the_default_is) {
  Stage stage;
  const Party client = stage.add_client("app", {{"TimeZone", "Europe/Berlin"}});
  stage.say(stage.server(), say::parameter_status("TimeZone", "Europe/Berlin") +
                                say::complete("SELECT 1") + say::ready());
  stage.heard(client);
  stage.say(stage.server(), say::parameter_status("TimeZone", "Asia/Tokyo"));
  EXPECT_EQ(stage.heard(client), "");
}

TEST(LendingTest, what_a_server_says_behind_its_login_is_heard) {
  const std::string notice = say::notice("take care");
  for (std::size_t cut = 0; cut <= notice.size(); ++cut) {
    Stage stage;
    stage.said_behind_login = notice.substr(0, cut);
    const Party client = stage.add_client();
    if (cut != notice.size()) stage.say(stage.server(), notice.substr(cut));
    stage.say(client, say::query("select 1"));
    ASSERT_EQ(stage.heard(stage.server()), say::query("select 1")) << cut;
    stage.say(stage.server(), say::one_row());
    ASSERT_EQ(stage.heard(client), say::one_row()) << cut;
  }
}

TEST(LendingTest, a_server_that_takes_its_leave_behind_its_login_is_not_lent) {
  Stage stage;
  stage.said_behind_login = say::report('E', "FATAL", "57P01", "the administrator says so");
  const Party client = stage.add_client();
  stage.said_behind_login.clear();
  stage.say(client, say::query("select 1"));
  EXPECT_EQ(stage.heard(stage.server()), "");
  stage.end(stage.server());
  EXPECT_EQ(stage.heard(stage.server(1)), say::query("select 1"));
}

TEST(LendingTest, a_transaction_keeps_its_server_until_it_ends) {
  Stage stage(2);
  const Party client = stage.add_client();
  const Party other = stage.add_client();
  stage.say(client, say::query("begin"));
  stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
  EXPECT_EQ(stage.lent(), 1U);
  stage.say(other, say::query("select 1"));
  EXPECT_EQ(stage.lent(), 2U);
  stage.say(client, say::query("rollback"));
  stage.say(stage.server(), say::complete("ROLLBACK") + say::ready('I'));
  EXPECT_EQ(stage.lent(), 1U);
}

TEST(LendingTest, whoever_waits_is_next_and_in_the_order_of_arrival) {
  Stage stage;
  const Party first = stage.add_client();
  const Party second = stage.add_client();
  const Party third = stage.add_client();
  stage.say(first, say::query("select 1"));
  stage.say(second, say::query("select 2"));
  stage.say(third, say::query("select 3"));
  EXPECT_EQ(stage.waiting(), 2U);
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
  stage.say(stage.server(), say::one_row("1"));
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 2"));
  stage.say(stage.server(), say::one_row("2"));
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 3"));
  stage.say(stage.server(), say::one_row("3"));
  EXPECT_EQ(stage.heard(first), say::one_row("1"));
  EXPECT_EQ(stage.heard(second), say::one_row("2"));
  EXPECT_EQ(stage.heard(third), say::one_row("3"));
}

// Those who have begun something and are silent, in one pool of one server.
class IdleHolderTest : public testing::Test {
 protected:
  static void set_timeout(Options& options) { options.idle_transaction_timeout = seconds(3); }

  // The server is lent, owes nothing, and the client says no more.
  void hold(std::string_view from_client, std::string_view from_server) {
    stage.say(holder, from_client);
    if (!from_server.empty()) stage.say(stage.server(), from_server);
    ASSERT_EQ(stage.lent(), 1U);
    stage.heard(holder);
    stage.heard(stage.server());
  }
  void expect_ended_once_somebody_waits() {
    stage.pass(seconds(60));
    EXPECT_FALSE(stage.is_closed(holder)) << "nobody waits, so it harms nobody";
    stage.say(stage.add_client(), say::query("select 1"));
    EXPECT_EQ(stage.waiting(), 1U);
    stage.pass(seconds(1));
    EXPECT_TRUE(stage.is_closed(holder));
    EXPECT_EQ(stage.log.count(kIdleTransactionEnded), 1U);
  }

  Stage stage{1, set_timeout};
  Party holder = stage.add_client();
};

TEST_F(IdleHolderTest, a_transaction_is_ended_only_when_somebody_waits) {
  hold(say::query("begin"), say::complete("BEGIN") + say::ready('T'));
  expect_ended_once_somebody_waits();
  EXPECT_THAT(stage.heard(holder), testing::HasSubstr("C25P03"));
  EXPECT_EQ(stage.heard(stage.server()), say::query("ROLLBACK"));
  stage.say(stage.server(), say::complete("ROLLBACK") + say::ready());
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
}

TEST_F(IdleHolderTest, is_ended_however_busy_the_thread_is) {
  hold(say::query("begin"), say::complete("BEGIN") + say::ready('T'));
  const Party busy = stage.add_client("other");
  stage.say(stage.add_client(), say::query("select 1"));
  for (int i = 0; i < 200 && !stage.is_closed(holder); ++i) {
    stage.dawdle(std::chrono::milliseconds(510));
    stage.say(busy, say::query("select 1"));
    stage.say(stage.server(1), say::one_row());
    stage.pass(seconds(0));
  }
  EXPECT_TRUE(stage.is_closed(holder));
}

TEST_F(IdleHolderTest, parse_and_flush_is_ended_only_when_somebody_waits) {
  hold(say::parse("", "select 1") + say::flush(), say::parse_complete());
  expect_ended_once_somebody_waits();
  EXPECT_THAT(stage.heard(holder), testing::HasSubstr("C25P03"));
  EXPECT_EQ(stage.heard(stage.server()), say::sync());
  stage.say(stage.server(), say::ready());
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
}

TEST_F(IdleHolderTest, a_copy_is_ended_only_when_somebody_waits) {
  hold(say::query("copy t from stdin"), say::copy_in());
  expect_ended_once_somebody_waits();
  EXPECT_THAT(stage.heard(stage.server()), testing::StartsWith("f"));
}

TEST_F(IdleHolderTest, the_half_of_a_long_query_is_ended_only_when_somebody_waits) {
  const std::string query = say::query(std::string(100'000, ' '));
  hold(std::string_view(query).substr(0, 50'000), "");
  expect_ended_once_somebody_waits();
  EXPECT_TRUE(stage.is_closed(stage.server())) << "it would wait for the rest for ever";
}

TEST_F(IdleHolderTest, one_that_does_not_read_its_answer_is_ended_only_when_somebody_waits) {
  stage.io.peer(holder).room = 0;
  hold(say::query("select 1"), say::data_row(std::string(200'000, 'x')));
  EXPECT_TRUE(stage.is_paused(stage.server()));
  expect_ended_once_somebody_waits();
  EXPECT_FALSE(stage.is_paused(stage.server())) << "the rest of the answer is dropped";
}

TEST_F(IdleHolderTest, one_that_reads_its_answer_slowly_is_not_ended) {
  stage.io.peer(holder).room = 0;
  hold(say::query("select 1"), say::data_row(std::string(200'000, 'x')));
  stage.say(stage.add_client(), say::query("select 1"));
  for (int i = 0; i < 5; ++i) {
    stage.pass(seconds(2));
    stage.give_room(holder);
    stage.io.peer(holder).room = 0;
    stage.say(stage.server(), say::data_row(std::string(200'000, 'x')));
  }
  EXPECT_FALSE(stage.is_closed(holder));
}

TEST_F(IdleHolderTest, a_statement_that_runs_is_not_ended) {
  hold(say::query("select pg_sleep(100)"), "");
  stage.say(stage.add_client(), say::query("select 1"));
  stage.pass(seconds(20));
  EXPECT_FALSE(stage.is_closed(holder));
  EXPECT_EQ(stage.waiting(), 1U);
}

TEST_F(IdleHolderTest, a_flush_now_and_then_is_activity_as_long_as_it_lasts) {
  hold(say::parse("", "select 1") + say::flush(), say::parse_complete());
  stage.say(stage.add_client(), say::query("select 1"));
  for (int i = 0; i < 5; ++i) {
    stage.pass(seconds(2));
    stage.say(holder, say::flush());
  }
  EXPECT_FALSE(stage.is_closed(holder));
  stage.pass(seconds(4));
  EXPECT_TRUE(stage.is_closed(holder));
}

}  // namespace
}  // namespace pgweir::proxy

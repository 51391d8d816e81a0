// Clients and servers that end in the middle of something: what the other side still hears, and
// what becomes of the server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;

TEST(VanishingServerTest, in_a_row_it_closes_its_client_without_a_word_inside_the_row) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1"));
  const std::string part = say::row_description() + say::data_row("a long row").substr(0, 12);
  stage.say(stage.server(), part);
  stage.end(stage.server());
  EXPECT_EQ(stage.heard(client), part);
  EXPECT_TRUE(stage.is_closed(client));
  EXPECT_EQ(stage.lent(), 0U);
}

TEST(VanishingServerTest, between_two_rows_its_client_is_told) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1"));
  stage.say(stage.server(), say::row_description() + say::data_row("1"));
  stage.heard(client);
  stage.end(stage.server(), base::CloseCause::Reset);
  EXPECT_THAT(stage.heard(client), HasSubstr("C08006"));
  EXPECT_TRUE(stage.is_closed(client));
}

TEST(VanishingServerTest, that_has_said_why_is_not_talked_over) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1"));
  const std::string reason = say::report('E', "FATAL", "57P01", "the administrator says so");
  stage.say(stage.server(), reason);
  stage.end(stage.server());
  EXPECT_EQ(stage.heard(client), reason);
  EXPECT_TRUE(stage.is_closed(client));
}

TEST(VanishingServerTest, while_idle_disturbs_nobody) {
  Stage stage;
  const Party client = stage.add_client();
  stage.end(stage.server());
  EXPECT_EQ(stage.heard(client), "");
  stage.say(client, say::query("select 1"));
  ASSERT_EQ(stage.server_count(), 2U);
  EXPECT_EQ(stage.heard(stage.server(1)), say::query("select 1"));
}

TEST(VanishingServerTest, whose_end_was_not_seen_keeps_its_permit) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1"));
  stage.end(stage.server(), base::CloseCause::Timeout);
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  EXPECT_EQ(stage.server_count(), 1U) << "there may be a backend still";
  const auto reports = stage.take<ServerLost>();
  ASSERT_EQ(reports.size(), 1U);
  auto gone = std::make_unique<ServerGone>();
  gone->token = reports[0]->token;
  stage.deliver(std::move(gone));
  ASSERT_EQ(stage.server_count(), 2U);
  EXPECT_EQ(stage.heard(stage.server(1)), say::query("select 1"));
}

TEST(VanishingClientTest, in_a_transaction_leaves_it_rolled_back_before_anybody_else_comes) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("begin"));
  stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  stage.heard(stage.server());
  stage.end(client);
  EXPECT_EQ(stage.heard(stage.server()), say::query("ROLLBACK"));
  stage.say(stage.server(), say::complete("ROLLBACK") + say::ready());
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(stage.heard(next), say::one_row());
}

TEST(VanishingClientTest, that_waits_leaves_the_line_however_much_it_has_sent) {
  Stage stage;
  stage.say(stage.add_client(), say::query("select pg_sleep(100)"));
  const Party client = stage.add_client();
  const std::string much = say::query(std::string(40'000, ' '));
  stage.say(client, much);
  stage.say(client, much);
  ASSERT_TRUE(stage.is_paused(client));
  ASSERT_EQ(stage.waiting(), 1U);
  stage.approach_end(client);
  ASSERT_FALSE(stage.is_paused(client)) << "its end would not be seen before its turn comes";
  stage.say(client, much);
  stage.end(client);
  EXPECT_EQ(stage.waiting(), 0U);
}

TEST(VanishingClientTest, whose_server_does_not_come_to_rest_has_it_closed) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select pg_sleep(100)"));
  stage.heard(stage.server());
  stage.end(client);
  EXPECT_EQ(stage.take<DeliverCancel>().size(), 1U);
  stage.pass(std::chrono::seconds(4));
  EXPECT_EQ(stage.heard(stage.server()), "");
  stage.pass(std::chrono::seconds(2));
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
}

TEST(LeavingClientTest, has_what_it_asked_for_done_first) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("insert into t values (1)") + say::terminate());
  EXPECT_TRUE(stage.is_closed(client));
  stage.heard(stage.server());
  stage.pass(std::chrono::seconds(60));
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
  EXPECT_EQ(stage.heard(stage.server()), "");
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  EXPECT_EQ(stage.heard(stage.server()), "") << "not before it has ended";
  stage.say(stage.server(), say::complete("INSERT 0 1") + say::ready());
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
}

TEST(LeavingClientTest, whose_server_cannot_be_lent_again_has_it_closed_only_then) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("do $$ begin perform f(); end $$"));
  stage.say(stage.server(), say::complete("DO") + say::ready());
  stage.say(client, say::query("insert into t values (1)") + say::terminate());
  stage.heard(stage.server());
  stage.pass(std::chrono::seconds(60));
  EXPECT_TRUE(stage.take<DeliverCancel>().empty());
  EXPECT_EQ(stage.heard(stage.server()), "");
  stage.say(stage.server(), say::complete("INSERT 0 1") + say::ready());
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
}

TEST(LeavingClientTest, whose_copy_begins_when_it_is_gone_has_it_called_off) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("copy t from stdin") + say::terminate());
  stage.heard(stage.server());
  stage.say(stage.server(), say::copy_in());
  EXPECT_EQ(stage.heard(stage.server()).front(), 'f');
  stage.say(stage.server(), say::error("57014") + say::ready());
  EXPECT_EQ(stage.lent(), 0U);
}

// In the middle of what it sends.
class CutMessage : public testing::TestWithParam<say::Sample> {};

TEST_P(CutMessage, is_followed_by_nothing) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("copy t from stdin"));
  stage.say(stage.server(), say::copy_in());
  stage.say(client, say::copy_done());
  stage.say(stage.server(), say::complete("COPY 0") + say::ready());
  stage.say(client, say::query("begin"));
  stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
  stage.heard(stage.server());
  const std::string part = GetParam().bytes.substr(0, GetParam().bytes.size() - 7);
  stage.say(client, part);
  EXPECT_TRUE(stage.heard(stage.server()) == part);
  stage.end(client);
  EXPECT_EQ(stage.heard(stage.server()), "") << "the server would take it for the message's rest";
  EXPECT_TRUE(stage.is_closed(stage.server()));
  EXPECT_EQ(stage.lent(), 0U);
}

INSTANTIATE_TEST_SUITE_P(OfEachKindThatPassesInPieces, CutMessage,
                         testing::ValuesIn(say::samples({say::query(std::string(100'000, ' ')),
                                                         say::bind("", std::string(9'000, 'x')),
                                                         say::copy_data(std::string(1'000, 'x')),
                                                         say::message('F',
                                                                      std::string(1'000, '\0'))})),
                         say::name_of);

TEST(VanishingClientTest, in_a_message_that_is_held_until_it_is_whole_harms_no_server) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select 1").substr(0, 9));
  stage.end(client);
  EXPECT_EQ(stage.heard(stage.server()), "");
  EXPECT_FALSE(stage.is_closed(stage.server()));
}

}  // namespace
}  // namespace pgweir::proxy

// What pinned a client may be gone: the server is asked, and the client notices nothing of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class InquiryTest : public testing::Test {
 protected:
  std::string hears() { return stage.heard(stage.server()); }
  void answered(std::string_view text, std::string_view tag, char status = 'I') {
    stage.say(client, say::query(text));
    ASSERT_EQ(hears(), say::query(text));
    stage.say(stage.server(), say::complete(tag) + say::ready(status));
    ASSERT_EQ(stage.heard(client), say::complete(tag) + say::ready(status));
  }
  // It has a lock, and says that it gives it back.
  void be_in_doubt() {
    answered("select pg_advisory_lock(1)", "SELECT 1");
    answered("select pg_advisory_unlock(1)", "SELECT 1");
  }
  void expect_asked() { EXPECT_THAT(hears(), AllOf(StartsWith("Q"), HasSubstr("pg_locks"))); }
  void expect_reset_and_lent() {
    EXPECT_THAT(hears(), EndsWith(say::query("DISCARD ALL")));
    stage.say(stage.server(), say::complete("DISCARD ALL") + say::ready());
    EXPECT_EQ(stage.lent(), 0U);
  }

  const std::string nothing_left = say::one_row();
  const std::string something_left =
      say::row_description() + say::complete("SELECT 0") + say::ready();
  Stage stage;
  Party client = stage.add_client();
};

TEST_F(InquiryTest, sets_the_client_free_if_nothing_is_left) {
  be_in_doubt();
  expect_asked();
  stage.say(stage.server(), nothing_left);
  EXPECT_EQ(stage.heard(client), "");
  expect_reset_and_lent();
}

TEST_F(InquiryTest, leaves_it_where_it_is_if_anything_is_left_or_the_server_cannot_tell) {
  for (const std::string& answer : {something_left, say::error("42501") + say::ready()}) {
    be_in_doubt();
    expect_asked();
    stage.say(stage.server(), answer);
    EXPECT_EQ(stage.heard(client), "");
    EXPECT_EQ(hears(), "");
    EXPECT_EQ(stage.lent(), 1U);
    answered("select 1", "SELECT 1");
    EXPECT_EQ(hears(), "") << "it is asked once";
  }
}

TEST_F(InquiryTest, is_about_what_may_have_been_rolled_back) {
  answered("begin", "BEGIN", 'T');
  answered("listen a", "LISTEN", 'T');
  answered("rollback", "ROLLBACK");
  EXPECT_THAT(hears(), HasSubstr("pg_listening_channels"));
  stage.say(stage.server(), nothing_left);
  expect_reset_and_lent();
}

TEST_F(InquiryTest, keeps_no_request_waiting) {
  be_in_doubt();
  expect_asked();
  stage.say(client, say::query("select 2"));
  EXPECT_EQ(hears(), say::query("select 2"));
  stage.say(stage.server(), nothing_left + say::one_row("2"));
  EXPECT_EQ(stage.heard(client), say::one_row("2"));
  expect_reset_and_lent();
}

TEST_F(InquiryTest, ends_nothing_that_was_begun_behind_it) {
  be_in_doubt();
  expect_asked();
  stage.say(client, say::query("select pg_advisory_lock(2)"));
  stage.say(stage.server(), nothing_left + say::one_row());
  EXPECT_EQ(stage.heard(client), say::one_row());
  EXPECT_EQ(hears(), say::query("select pg_advisory_lock(2)"));
  EXPECT_EQ(stage.lent(), 1U);
}

TEST_F(InquiryTest, is_answered_in_pieces_like_everything) {
  for (const std::string& answer : {nothing_left, say::error("42501") + say::ready()}) {
    be_in_doubt();
    expect_asked();
    for (const char byte : answer) stage.say(stage.server(), {&byte, 1});
    EXPECT_EQ(stage.heard(client), "");
    EXPECT_FALSE(stage.is_closed(client));
    if (stage.lent() == 0) continue;
    if (hears().ends_with(say::query("DISCARD ALL"))) {
      stage.say(stage.server(), say::complete("DISCARD ALL") + say::ready());
    }
  }
}

TEST_F(InquiryTest, costs_no_server_if_its_client_goes) {
  be_in_doubt();
  expect_asked();
  stage.end(client);
  stage.say(stage.server(), say::error("57014") + say::ready());
  auto delivered = std::make_unique<CancelDelivered>();
  delivered->token = stage.take<DeliverCancel>().at(0)->token;
  delivered->is_confirmed = true;
  stage.deliver(std::move(delivered));
  expect_reset_and_lent();
}

TEST_F(InquiryTest, hides_no_farewell) {
  be_in_doubt();
  const std::string farewell = say::report('E', "FATAL", "57P01", "the administrator says so");
  stage.say(stage.server(), farewell);
  EXPECT_EQ(stage.heard(client), farewell);
  stage.end(stage.server());
  EXPECT_TRUE(stage.is_closed(client));
}

TEST_F(InquiryTest, lets_notifications_through_and_no_notice) {
  be_in_doubt();
  expect_asked();
  const std::string notification = say::message('A', say::int32(7) + say::zero_ended("a") + '\0');
  stage.say(stage.server(), say::notice() + notification + something_left);
  EXPECT_EQ(stage.heard(client), notification);
}

TEST_F(InquiryTest, rolls_nothing_back_when_it_fails) {
  be_in_doubt();
  expect_asked();
  stage.say(stage.server(), say::error("57014") + say::ready());
  answered("set work_mem to '9MB'", "SET");
  answered("select pg_advisory_unlock(1)", "SELECT 1");
  expect_asked();
  stage.say(stage.server(), nothing_left);
  expect_reset_and_lent();
  stage.say(client, say::query("select 1"));
  EXPECT_THAT(hears(), HasSubstr("work_mem"));
}

TEST_F(InquiryTest, does_not_trouble_a_server_that_is_in_doubt_itself) {
  answered("select pg_advisory_lock(1)", "SELECT 1");
  stage.say(client, say::query("copy t from stdin"));
  stage.say(stage.server(), say::copy_in());
  stage.say(client, say::sync() + say::query("select pg_advisory_unlock(1)"));
  stage.say(stage.server(), say::error("57014") + say::ready());
  hears();
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(hears(), "");
}

TEST_F(InquiryTest, of_a_server_that_dies_meanwhile_cost_no_statement) {
  be_in_doubt();
  stage.end(stage.server());
  EXPECT_THAT(stage.heard(client), HasSubstr("session state on it is lost"));
}

TEST_F(InquiryTest, is_not_about_a_role_that_logins_bring_along) {
  for (const std::string_view options_text : {"-c role=owner", "-c R\\OLE=owner"}) {
    Stage other(1, [&](Options& options) {
      options.databases[0].startup_parameters = {{"options", std::string(options_text)}};
    });
    const Party one = other.add_client();
    other.say(one, say::query("set role none"));
    other.heard(other.server());
    other.say(other.server(), say::complete("SET") + say::ready());
    EXPECT_EQ(other.heard(other.server()), "");
    EXPECT_EQ(other.lent(), 1U);
  }
}

TEST_F(InquiryTest, is_not_about_names_that_may_look_like_ours) {
  Stage other(1, [](Options& options) { options.statements_per_server_max = 0; });
  const Party one = other.add_client();
  other.say(one, say::query("begin"));
  other.say(other.server(), say::complete("BEGIN") + say::ready('T'));
  other.say(one, say::parse("pgweir_0", "select 1") + say::sync());
  other.say(other.server(), say::parse_complete() + say::ready('T'));
  other.say(one, say::query("rollback"));
  other.heard(other.server());
  other.say(other.server(), say::complete("ROLLBACK") + say::ready());
  EXPECT_EQ(other.heard(other.server()), "");
  EXPECT_EQ(other.lent(), 1U);
}

TEST_F(InquiryTest, is_of_no_use_in_session_mode) {
  Stage other(1, [](Options& options) { options.pool_mode = PoolMode::Session; });
  const Party one = other.add_client();
  other.say(one, say::query("select pg_try_advisory_lock(1)"));
  other.heard(other.server());
  other.say(other.server(), say::one_row());
  EXPECT_EQ(other.heard(other.server()), "");
}

}  // namespace
}  // namespace pgweir::proxy

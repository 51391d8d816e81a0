// RESET inside a transaction: the client goes back to what it brought at startup, and so does the
// server before it hears anything else, though by itself it would go to its own default.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;
using testing::StartsWith;

class ResettingTest : public testing::Test {
 protected:
  // In a transaction block; the server has the client's settings.
  void SetUp() override {
    ASSERT_THAT(hears(), HasSubstr("Asia/Tokyo"));
    stage.say(stage.server(), say::complete("SELECT 1") +
                                  say::parameter_status("TimeZone", "Asia/Tokyo") + say::ready());
    answered("begin", "BEGIN");
  }
  std::string hears() { return stage.heard(stage.server()); }
  void answered(std::string_view text, std::string_view tag, char status = 'T') {
    stage.say(client, say::query(text));
    ASSERT_EQ(hears(), say::query(text));
    stage.say(stage.server(), say::complete(tag) + say::ready(status));
    stage.heard(client);
  }
  // The server takes what it is told first of all.
  void expect_brought_back() {
    EXPECT_THAT(hears(), AllOf(StartsWith("Q"), HasSubstr("set_config"), HasSubstr("Asia/Tokyo")));
    stage.say(stage.server(), say::complete("SELECT 1") +
                                  say::parameter_status("TimeZone", "Asia/Tokyo") +
                                  say::ready('T'));
    EXPECT_EQ(stage.heard(client), say::parameter_status("TimeZone", "Asia/Tokyo"));
  }

  Stage stage;
  Party client = stage.add_client("app", {{"TimeZone", "Asia/Tokyo"}});
};

TEST_F(ResettingTest, leads_the_server_to_what_the_client_brought) {
  for (const std::string_view text :
       {"reset timezone", "reset all", "set timezone to default", "set time zone default"}) {
    SCOPED_TRACE(text);
    answered(text, "RESET");
    stage.say(client, say::query("select now()"));
    expect_brought_back();
    stage.say(stage.server(), say::one_row());
  }
}

TEST_F(ResettingTest, holds_back_what_is_sent_behind_it) {
  stage.say(client, say::query("reset timezone") + say::query("select now()"));
  EXPECT_EQ(hears(), say::query("reset timezone"));
  stage.say(stage.server(),
            say::complete("RESET") + say::parameter_status("TimeZone", "UTC") + say::ready('T'));
  // What the client has to believe is not what the server says for the moment.
  EXPECT_EQ(
      stage.heard(client),
      say::complete("RESET") + say::parameter_status("TimeZone", "Asia/Tokyo") + say::ready('T'));
  EXPECT_THAT(stage.heard(stage.server()), testing::EndsWith(say::query("select now()")));
}

TEST_F(ResettingTest, is_followed_again_when_a_savepoint_takes_the_help_back) {
  stage.say(client, say::query("reset timezone; savepoint a"));
  hears();
  stage.say(stage.server(), say::complete("RESET") + say::complete("SAVEPOINT") + say::ready('T'));
  stage.heard(client);
  stage.say(client, say::query("rollback to a"));
  expect_brought_back();
  stage.say(stage.server(), say::complete("ROLLBACK") + say::ready('T'));
  stage.heard(client);
  stage.say(client, say::query("select now()"));
  expect_brought_back();
}

TEST_F(ResettingTest, of_what_the_client_did_not_bring_is_the_servers_business) {
  answered("reset work_mem", "RESET");
  answered("select 1", "SELECT 1");
}

TEST_F(ResettingTest, is_nobodys_business_once_the_transaction_has_failed) {
  answered("reset timezone", "RESET", 'E');
  answered("rollback", "ROLLBACK", 'I');
}

TEST_F(ResettingTest, leaves_a_server_that_has_the_clients_value) {
  answered("reset timezone", "RESET");
  stage.say(client, say::query("commit"));
  expect_brought_back();
  stage.say(stage.server(), say::complete("COMMIT") + say::ready());
  stage.heard(client);
  EXPECT_EQ(stage.lent(), 0U);
  answered("select 1", "SELECT 1", 'I');
}

TEST_F(ResettingTest, holds_nothing_back_where_the_server_ignores_it) {
  stage.say(client, say::execute() + say::flush());
  stage.say(stage.server(), say::error("34000"));
  EXPECT_EQ(stage.heard(client), say::error("34000"));
  hears();
  stage.say(client, say::query("deallocate all; reset all") + say::sync());
  EXPECT_EQ(hears(), say::sync());
}

}  // namespace
}  // namespace pgweir::proxy

// pgweir ends while clients are there: each may end its transaction, and begins no other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;
using testing::StartsWith;

class DepartingTest : public testing::Test {
 protected:
  void answer(std::string_view text, std::string_view tag, char status) {
    stage.say(client, say::query(text));
    stage.heard(stage.server());
    stage.say(stage.server(), say::complete(tag) + say::ready(status));
  }
  void drain() { stage.deliver(std::make_unique<Drain>()); }
  void expect_gone_behind(const std::string& answer) {
    EXPECT_THAT(stage.heard(client), AllOf(StartsWith(answer), HasSubstr("C57P01")));
    EXPECT_TRUE(stage.is_closed(client));
  }

  Stage stage;
  Party client = stage.add_client();
};

TEST_F(DepartingTest, a_client_at_rest_goes_at_once) {
  drain();
  expect_gone_behind("");
}

TEST_F(DepartingTest, a_client_goes_with_the_end_of_its_transaction) {
  answer("begin", "BEGIN", 'T');
  drain();
  answer("select 1", "SELECT 1", 'T');
  EXPECT_FALSE(stage.is_closed(client));
  stage.heard(client);
  answer("commit", "COMMIT", 'I');
  expect_gone_behind(say::complete("COMMIT") + say::ready());
}

TEST_F(DepartingTest, a_client_that_keeps_its_server_goes_with_the_end_of_its_transaction) {
  answer("listen news", "LISTEN", 'I');
  answer("begin", "BEGIN", 'T');
  drain();
  stage.heard(client);
  answer("commit", "COMMIT", 'I');
  expect_gone_behind(say::complete("COMMIT") + say::ready());
}

TEST_F(DepartingTest, a_client_in_line_is_served_and_goes) {
  const Party second = stage.add_client();
  answer("begin", "BEGIN", 'T');
  stage.say(second, say::query("select 2"));
  drain();
  EXPECT_FALSE(stage.is_closed(second));
  answer("commit", "COMMIT", 'I');
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 2"));
  stage.say(stage.server(), say::one_row());
  EXPECT_THAT(stage.heard(second), AllOf(StartsWith(say::one_row()), HasSubstr("C57P01")));
}

TEST_F(DepartingTest, who_reads_its_answer_late_goes_when_it_has) {
  answer("begin", "BEGIN", 'T');
  drain();
  stage.heard(client);
  stage.io.peer(client).room = 3;
  answer("commit", "COMMIT", 'I');
  EXPECT_FALSE(stage.is_closed(client));
  stage.give_room(client);
  stage.pass(std::chrono::seconds(1));
  EXPECT_TRUE(stage.is_closed(client));
}

}  // namespace
}  // namespace pgweir::proxy

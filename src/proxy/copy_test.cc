// COPY: what a client still sends after it has failed, and servers that do not wait for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;

class CopyTest : public testing::Test {
 protected:
  void SetUp() override {
    stage.say(client, say::query("copy t from stdin"));
    stage.say(stage.server(), say::copy_in());
    ASSERT_EQ(stage.heard(client), say::copy_in());
    stage.heard(stage.server());
  }
  std::string batch() {
    return say::parse("", "copy t from stdin") + say::bind("") + say::execute();
  }
  std::string refusal() { return say::error("22P02") + say::ready(); }
  // The conversation goes on as if nothing had happened.
  void expect_all_is_well() {
    stage.say(client, say::query("select 1"));
    EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
    stage.say(stage.server(), say::one_row());
    EXPECT_EQ(stage.heard(client), say::one_row());
    EXPECT_EQ(stage.lent(), 0U);
  }

  Stage stage;
  Party client = stage.add_client();
};

TEST_F(CopyTest, passes_to_its_end) {
  stage.say(client, say::copy_data("1\n"));
  stage.say(client, say::copy_data("2\n") + say::copy_done());
  EXPECT_EQ(stage.heard(stage.server()),
            say::copy_data("1\n") + say::copy_data("2\n") + say::copy_done());
  EXPECT_EQ(stage.lent(), 1U);
  stage.say(stage.server(), say::complete("COPY 2") + say::ready());
  EXPECT_EQ(stage.heard(client), say::complete("COPY 2") + say::ready());
  expect_all_is_well();
}

TEST_F(CopyTest, what_comes_late_after_its_failure_takes_no_server_and_disturbs_nobody) {
  stage.say(client, say::copy_data("x\n"));
  stage.say(stage.server(), refusal());
  EXPECT_EQ(stage.heard(client), refusal());
  EXPECT_EQ(stage.lent(), 0U);
  stage.heard(stage.server());
  stage.say(client, say::copy_data("1\n") + say::copy_data("2\n"));
  stage.say(client, say::copy_done());
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(stage.server()), "");
  EXPECT_EQ(stage.heard(client), "");
  expect_all_is_well();
}

TEST_F(CopyTest, a_late_copy_fail_takes_no_server_either) {
  stage.say(stage.server(), refusal());
  stage.heard(client);
  stage.say(client, say::copy_fail());
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(client), "");
  expect_all_is_well();
}

TEST_F(CopyTest, late_data_in_front_of_a_query_is_dropped_and_the_query_answered) {
  stage.say(stage.server(), refusal());
  stage.heard(client);
  stage.say(client, say::copy_data("1\n") + say::copy_done() + say::query("select 2"));
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 2"));
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(stage.heard(client), say::one_row());
  expect_all_is_well();
}

TEST_F(CopyTest, data_that_fails_in_mid_message_keeps_the_server_for_its_rest_only) {
  const std::string data = say::copy_data("1\n2\n3\n");
  stage.say(client, data.substr(0, 8));
  stage.say(stage.server(), refusal());
  EXPECT_EQ(stage.heard(client), refusal());
  EXPECT_EQ(stage.lent(), 1U) << "the server is in the middle of a message of this client";
  stage.say(client, data.substr(8));
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(stage.server()), data);
  stage.say(client, say::copy_done());
  EXPECT_EQ(stage.lent(), 0U);
  expect_all_is_well();
}

// The server has ignored that Sync if it read it while copying; otherwise it answers it now.
TEST_F(CopyTest, one_that_fails_behind_a_sync_leaves_no_server_that_may_still_answer_it) {
  stage.say(client, say::copy_data("x\n") + say::sync());
  stage.heard(stage.server());
  const Party next = stage.add_client();
  stage.say(next, say::query("select 1"));
  stage.say(stage.server(), refusal());
  EXPECT_EQ(stage.heard(client), refusal());
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
  stage.say(stage.server(), say::ready());
  EXPECT_EQ(stage.heard(next), "") << "it is not the answer to its query";
  stage.end(stage.server());
  EXPECT_EQ(stage.heard(stage.server(1)), say::query("select 1"));
}

TEST_F(CopyTest, one_that_fails_before_its_server_reads_the_sync_behind_it_is_answered) {
  stage.say(client, say::copy_done());
  stage.say(stage.server(), say::complete("COPY 0") + say::ready());
  stage.say(client, batch() + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::bind_complete() + say::copy_in());
  stage.heard(stage.server());
  stage.heard(client);
  stage.say(stage.server(), refusal());
  EXPECT_EQ(stage.heard(client), refusal());
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
}

TEST_F(CopyTest, two_of_them_in_one_query_take_an_end_each) {
  stage.say(client, say::copy_done());
  stage.say(stage.server(), say::complete("COPY 0") + say::copy_in());
  stage.heard(client);
  stage.heard(stage.server());
  stage.say(client, say::sync() + say::copy_done());
  EXPECT_EQ(stage.heard(stage.server()), say::sync() + say::copy_done());
  stage.say(stage.server(), say::complete("COPY 0") + say::ready());
  EXPECT_EQ(stage.heard(client), say::complete("COPY 0") + say::ready());
  expect_all_is_well();
}

TEST_F(CopyTest, all_of_it_sent_at_once_gives_the_server_back) {
  stage.say(client, say::copy_done());
  stage.say(stage.server(), say::complete("COPY 0") + say::ready());
  stage.heard(client);
  stage.say(client, batch() + say::sync() + say::copy_done() + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::bind_complete() + say::copy_in() +
                                say::complete("COPY 0") + say::ready());
  EXPECT_EQ(stage.lent(), 0U);
  stage.heard(client);
  stage.heard(stage.server());
  expect_all_is_well();
}

TEST_F(CopyTest, a_client_that_vanishes_in_it_leaves_the_server_clean) {
  stage.say(client, say::copy_data("1\n"));
  stage.heard(stage.server());
  stage.end(client);
  EXPECT_THAT(stage.heard(stage.server()), testing::StartsWith("f"));
  EXPECT_TRUE(stage.take<DeliverCancel>().empty()) << "COPY IN does not heed it while it waits";
  stage.say(stage.server(), refusal());
  EXPECT_EQ(stage.lent(), 0U);
  client = stage.add_client();
  expect_all_is_well();
}

TEST(CopyAmongOthersTest, is_fed_although_what_comes_behind_its_text_has_to_wait) {
  Stage stage;
  const Party client = stage.add_client();
  const std::string copy =
      say::query("deallocate all; copy t from stdin") + say::copy_data("1\n") + say::copy_done();
  stage.say(client, copy + say::query("select 2"));
  EXPECT_EQ(stage.heard(stage.server()), copy);
}

}  // namespace
}  // namespace pgweir::proxy

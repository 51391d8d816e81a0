#include "session/connect_query.h"

#include <gtest/gtest.h>

#include "wire/reply.h"
#include "wire/report.h"

namespace pgweir::session {
namespace {

using Step = ConnectQuery::Step;

class ConnectQueryTest : public ::testing::Test {
 protected:
  base::Result<Step> feed() {
    base::Bytes input = answer;
    return query.handle_bytes(input);
  }

  wire::Parameters reported{{"TimeZone", "UTC"}};
  ConnectQuery query{reported};
  base::ByteBuffer answer;
};

TEST_F(ConnectQueryTest, asks_and_is_done_when_the_server_is_ready) {
  base::ByteBuffer out;
  query.begin("set timezone to 'Europe/Prague'", out);
  EXPECT_EQ(static_cast<char>(out.front()), 'Q');
  wire::encode_parameter_status(answer, "TimeZone", "Europe/Prague");
  EXPECT_EQ(*feed(), Step::NeedsMore);
  answer.clear();
  wire::encode_ready_for_query(answer, 'I');
  EXPECT_EQ(*feed(), Step::Done);
  EXPECT_EQ(reported, (wire::Parameters{{"TimeZone", "Europe/Prague"}}));
}

TEST_F(ConnectQueryTest, tells_why_the_server_refused) {
  wire::encode_error(answer, {.severity = "ERROR",
                              .sqlstate = "42601",
                              .message = "syntax error",
                              .detail = {},
                              .hint = {}});
  wire::encode_ready_for_query(answer, 'I');
  EXPECT_EQ(*feed(), Step::Refused);
  EXPECT_EQ(query.refusal().sqlstate, "42601");
}

TEST_F(ConnectQueryTest, lends_no_server_with_an_open_transaction) {
  wire::encode_ready_for_query(answer, 'T');
  EXPECT_EQ(*feed(), Step::Refused);
}

TEST_F(ConnectQueryTest, takes_the_answer_cut_at_every_byte) {
  wire::encode_parameter_status(answer, "TimeZone", "Europe/Prague");
  wire::encode_command_complete(answer, "SET");
  wire::encode_ready_for_query(answer, 'I');
  for (std::size_t cut = 0; cut < answer.size(); ++cut) {
    base::Bytes input = base::Bytes(answer).first(cut);
    ASSERT_EQ(*query.handle_bytes(input), Step::NeedsMore) << cut;
    input = base::Bytes(answer).subspan(cut - input.size());
    ASSERT_EQ(*query.handle_bytes(input), Step::Done) << cut;
    ASSERT_TRUE(input.empty());
  }
}

TEST_F(ConnectQueryTest, does_not_copy) {
  answer = base::ByteBuffer{std::byte{'G'}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}};
  EXPECT_FALSE(feed().has_value());
}

}  // namespace
}  // namespace pgweir::session

// Messages larger than any buffer, and clients that do not read: what is held back is bounded, and
// what passes is whole.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/sending.h"
#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;

constexpr std::size_t kPieceBytes = 64 * 1024;

void say_in_pieces(Stage& stage, Party from, std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPieceBytes))) {
    stage.say(from, bytes.substr(0, kPieceBytes));
  }
}

class LongReply : public testing::TestWithParam<say::Sample> {};

TEST_P(LongReply, passes_as_it_is) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select something"));
  const std::string reply = GetParam().bytes + say::complete("DO") + say::ready();
  say_in_pieces(stage, stage.server(), reply);
  EXPECT_TRUE(stage.heard(client) == reply);
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_FALSE(stage.is_closed(stage.server()));
}

const std::string kLongText = std::string(2'000'000, 'x');

INSTANTIATE_TEST_SUITE_P(
    OfTwoMegabytes, LongReply,
    testing::ValuesIn(say::samples({say::notice(kLongText), say::data_row(kLongText),
                                    say::message('A', say::int32(1) + say::zero_ended("channel") +
                                                          say::zero_ended(kLongText))})),
    say::name_of);

TEST(LongReplyTest, an_error_of_two_megabytes_passes_and_ends_its_query) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::query("select something"));
  const std::string reply = say::error("P0001", kLongText) + say::ready();
  say_in_pieces(stage, stage.server(), reply);
  EXPECT_TRUE(stage.heard(client) == reply);
  EXPECT_EQ(stage.lent(), 0U);
}

TEST(LongReplyTest, what_an_error_of_two_megabytes_says_of_a_statement_is_understood) {
  Stage stage;
  const Party client = stage.add_client();
  const std::string batch =
      say::parse("s", "select $1") + say::bind("s") + say::execute() + say::sync();
  stage.say(client, batch);
  stage.say(stage.server(), say::parse_complete() + say::bind_complete() +
                                say::complete("SELECT 0") + say::ready());
  stage.say(client, say::bind("s") + say::execute() + say::sync());
  say_in_pieces(stage, stage.server(), say::error("26000", kLongText) + say::ready());
  stage.heard(stage.server());
  stage.say(client, say::bind("s") + say::execute() + say::sync());
  EXPECT_EQ(stage.heard(stage.server()).front(), 'P') << "it is prepared again";
}

// One that is not kept for other servers.
std::string long_parse(std::string_view name) {
  std::string literal;
  literal.resize(17'000'000, 'x');
  return say::parse(name, "select '" + literal + "'");
}

TEST(LongParseTest, passes_while_it_comes_and_keeps_its_client_on_the_server) {
  for (const std::string name : {"", "own"}) {
    Stage stage(2);
    const Party client = stage.add_client();
    say_in_pieces(stage, client, long_parse(name) + say::bind(name) + say::execute() + say::sync());
    EXPECT_TRUE(stage.heard(stage.server()) ==
                long_parse(name) + say::bind(name) + say::execute() + say::sync());
    const std::string answer =
        say::parse_complete() + say::bind_complete() + say::complete("SELECT 1") + say::ready();
    stage.say(stage.server(), answer);
    EXPECT_EQ(stage.heard(client), answer);
    EXPECT_EQ(stage.lent(), 1U);
  }
}

TEST(LongParseTest, that_comes_byte_by_byte_takes_no_server_before_its_header_is_there) {
  Stage stage;
  const Party client = stage.add_client();
  for (const char c : long_parse("name").substr(0, 5 + 3)) stage.say(client, {&c, 1});
  EXPECT_EQ(stage.heard(stage.server()), "");
  for (const char c : long_parse("name").substr(5 + 3, 3)) stage.say(client, {&c, 1});
  EXPECT_EQ(stage.heard(stage.server()), long_parse("name").substr(0, 5 + 3 + 3));
}

TEST(LongParseTest, of_a_name_that_is_in_use_ends_the_client) {
  Stage stage;
  const Party client = stage.add_client();
  stage.say(client, say::parse("s", "select $1") + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::ready());
  stage.heard(client);
  stage.say(client, long_parse("s").substr(0, kPieceBytes));
  EXPECT_THAT(stage.heard(client), testing::HasSubstr("in use"));
  EXPECT_TRUE(stage.is_closed(client));
}

TEST(LongQueryTest, passes_while_it_comes_and_takes_its_server_at_once) {
  Stage stage;
  const Party client = stage.add_client();
  const std::string query = say::query("select '" + kLongText + "'");
  stage.say(client, query.substr(0, kPieceBytes));
  EXPECT_EQ(stage.lent(), 1U);
  EXPECT_EQ(stage.heard(stage.server()).size(), kPieceBytes);
  say_in_pieces(stage, client, std::string_view(query).substr(kPieceBytes));
  EXPECT_TRUE(stage.heard(stage.server()) == query.substr(kPieceBytes));
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(stage.lent(), 0U);
}

// What would be longer than a message may be once our name for the statement is in it is refused.
TEST(LongBindTest, of_a_gigabyte_is_refused_and_of_less_passes) {
  struct Claim {
    std::size_t body_bytes;
    bool is_taken;
  };
  for (const Claim& claim : {Claim{0x3fffffff - 64, true}, Claim{0x3fffffff - 63, false},
                             Claim{0x3fffffff, false}, Claim{0x40000000, false}}) {
    Stage stage;
    const Party client = stage.add_client();
    const std::string name = say::zero_ended("") + say::zero_ended("s");
    const std::size_t value_bytes = claim.body_bytes - name.size() - 8;
    stage.say(client, say::parse("s", "select $1") + say::header('B', claim.body_bytes) + name +
                          say::int16(0) + say::int16(1) +
                          say::int32(static_cast<std::uint32_t>(value_bytes)) + "value");
    EXPECT_EQ(stage.is_closed(client), !claim.is_taken) << claim.body_bytes;
  }
}

TEST(SlowServerTest, what_its_socket_does_not_take_is_not_read_from_the_client) {
  Stage stage;
  const Party client = stage.add_client();
  stage.io.peer(stage.server()).room = 3;
  stage.say(client, say::query("select 1"));
  EXPECT_TRUE(stage.is_paused(client));
  stage.give_room(stage.server());
  EXPECT_FALSE(stage.is_paused(client));
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1"));
}

// A client whose socket takes nothing: it does not read.
class SlowClientTest : public testing::Test {
 protected:
  void SetUp() override { stage.io.peer(client).room = 0; }
  std::string long_answer() {
    return say::data_row(std::string(kOutboxBytesHigh, 'x')) + say::complete("SELECT 1") +
           say::ready();
  }

  Stage stage;
  Party client = stage.add_client();
};

TEST_F(SlowClientTest, is_not_read_from_and_asks_no_further_until_it_has_read) {
  stage.say(client, say::query("select 1") + say::query("select 2"));
  // Both are asked at once; the first answer fills what is held for it.
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 1") + say::query("select 2"));
  stage.say(stage.server(), long_answer());
  EXPECT_TRUE(stage.is_paused(stage.server())) << "its answers are not read while it does not";
  stage.give_room(client);
  EXPECT_FALSE(stage.is_paused(stage.server()));
  stage.say(stage.server(), say::one_row());
  EXPECT_TRUE(stage.heard(client) == long_answer() + say::one_row());
}

TEST_F(SlowClientTest, costs_others_no_server) {
  stage.say(client, say::query("select 1"));
  stage.say(stage.server(), long_answer());
  EXPECT_EQ(stage.lent(), 0U) << "the answer is whole";
  EXPECT_FALSE(stage.is_paused(stage.server()));
  stage.heard(stage.server());
  // What it sends although nobody wants more of it goes nowhere.
  stage.say(client, say::query("select 2"));
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(stage.server()), "");
  EXPECT_TRUE(stage.is_paused(client));
  const Party other = stage.add_client();
  stage.say(other, say::query("select 3"));
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(stage.heard(other), say::one_row());

  stage.heard(stage.server());
  stage.give_room(client);
  EXPECT_FALSE(stage.is_paused(client));
  EXPECT_TRUE(stage.heard(client) == long_answer());
  EXPECT_EQ(stage.heard(stage.server()), say::query("select 2"));
  stage.say(stage.server(), say::one_row());
  EXPECT_EQ(stage.heard(client), say::one_row());
}

TEST_F(SlowClientTest, gets_the_rest_in_whatever_pieces_it_reads) {
  stage.say(client, say::query("select 1"));
  stage.say(stage.server(), long_answer());
  std::string all;
  for (int i = 0; i < 100 && all.size() < long_answer().size(); ++i) {
    stage.give_room(client, 1000);
    all += stage.heard(client);
  }
  EXPECT_TRUE(all == long_answer());
}

}  // namespace
}  // namespace pgweir::proxy

// Every message cut at every byte: whole conversations are played as they are, and then with each
// step cut in two, in single bytes, and with sockets that take a few bytes at a time. Each time
// the same bytes reach both sides, and the server is lent and given back at the same points.

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;

enum class From : std::uint8_t { Client, Server };

struct Step {
  From from = From::Client;
  std::string bytes;
};
Step client(std::string bytes) { return {.from = From::Client, .bytes = std::move(bytes)}; }
Step server(std::string bytes) { return {.from = From::Server, .bytes = std::move(bytes)}; }

struct Conversation {
  const char* name;
  std::vector<Step> steps;
  friend std::ostream& operator<<(std::ostream& out, const Conversation& conversation) {
    return out << conversation.name;
  }
};

// What came of one step.
struct Heard {
  std::string by_client;
  std::string by_server;
  std::uint32_t lent = 0;
  friend bool operator==(const Heard&, const Heard&) = default;
};
std::ostream& operator<<(std::ostream& out, const Heard& heard) {
  return out << "client heard " << testing::PrintToString(heard.by_client) << ", server heard "
             << testing::PrintToString(heard.by_server) << ", lent " << heard.lent;
}

using Pieces = std::function<std::vector<std::string>(std::size_t step, const std::string& bytes)>;

std::vector<Heard> play(const Conversation& conversation, const Pieces& pieces,
                        std::size_t bytes_per_send = ScriptedIo::kEndless) {
  Stage stage;
  const Party party = stage.add_client();
  stage.io.set_bytes_per_send(bytes_per_send);
  std::vector<Heard> all;
  for (std::size_t i = 0; i < conversation.steps.size(); ++i) {
    const Step& step = conversation.steps[i];
    const Party speaker = step.from == From::Client ? party : stage.server();
    for (const std::string& piece : pieces(i, step.bytes)) stage.say(speaker, piece);
    all.push_back({.by_client = stage.heard(party),
                   .by_server = stage.heard(stage.server()),
                   .lent = stage.lent()});
  }
  return all;
}

std::vector<std::string> whole(std::size_t, const std::string& bytes) { return {bytes}; }
std::vector<std::string> single_bytes(std::size_t, const std::string& bytes) {
  std::vector<std::string> pieces;
  for (const char c : bytes) pieces.emplace_back(1, c);
  return pieces;
}

std::string batch(std::string_view name) {
  return say::parse(name, "select $1") + say::bind(name) + say::describe(name) + say::execute() +
         say::sync();
}
std::string described() {
  return say::message('t', say::int16(1) + say::int32(23)) + say::row_description();
}
std::string executed() { return say::data_row("1") + say::complete("SELECT 1") + say::ready(); }

std::vector<Conversation> conversations() {
  return {
      {"query", {client(say::query("select 1")), server(say::one_row())}},
      {"pipelined_queries",
       {client(say::query("select 1") + say::query("select 2")),
        server(say::one_row("1") + say::one_row("2"))}},
      {"transaction",
       {client(say::query("begin")), server(say::complete("BEGIN") + say::ready('T')),
        client(say::query("select 1/0")), server(say::error("22012") + say::ready('E')),
        client(say::query("rollback")), server(say::complete("ROLLBACK") + say::ready())}},
      {"named_statement",
       {client(batch("s")),
        server(say::parse_complete() + say::bind_complete() + described() + executed()),
        client(say::bind("s") + say::execute() + say::sync()),
        server(say::bind_complete() + executed()),
        // The server has it: two of the answers are ours.
        client(batch("t") + say::close("t") + say::sync()),
        server(say::bind_complete() + described() + executed() + say::ready())}},
      {"unnamed_statement",
       {client(batch("")),
        server(say::parse_complete() + say::bind_complete() + described() + executed()),
        client(say::bind("") + say::execute() + say::sync()),
        server(say::bind_complete() + executed())}},
      {"flush_before_sync",
       {client(say::parse("", "select $1") + say::flush()), server(say::parse_complete()),
        client(say::bind("") + say::execute() + say::flush()),
        server(say::bind_complete() + say::data_row("1") + say::complete("SELECT 1")),
        client(say::sync()), server(say::ready())}},
      {"failed_batch",
       // The Bind fails. The server has the second batch's text by then; that Parse is ours.
       {client(batch("s") + batch("t")),
        server(say::parse_complete() + say::error("22P02") + say::ready() + say::bind_complete() +
               described() + executed())}},
      {"function_call",
       {client(say::function_call()),
        server(say::message('V', say::int32(0xffffffff)) + say::ready())}},
      {"copy_in",
       {client(say::query("copy t from stdin")), server(say::copy_in()),
        client(say::copy_data("1\n") + say::copy_data("") + say::copy_data("2\n") +
               say::copy_done()),
        server(say::complete("COPY 2") + say::ready())}},
      {"copy_in_given_up",
       {client(say::query("copy t from stdin")), server(say::copy_in()),
        client(say::copy_data("1\n") + say::copy_fail()),
        server(say::error("57014") + say::ready())}},
      {"copy_in_that_fails",
       {client(say::query("copy t from stdin")), server(say::copy_in()),
        client(say::copy_data("x\n")), server(say::error("22P02") + say::ready()),
        client(say::copy_data("2\n") + say::copy_done() + say::query("select 1")),
        server(say::one_row())}},
      {"copy_out",
       {client(say::query("copy t to stdout")),
        server(say::copy_out() + say::copy_data("1\n") + say::copy_data("2\n") + say::copy_done() +
               say::complete("COPY 2") + say::ready())}},
      {"asides",
       {client(say::query("select something")),
        server(say::notice() + say::parameter_status("TimeZone", "UTC") +
               say::message('A', say::int32(1) + say::zero_ended("c") + say::zero_ended("p")) +
               say::complete("DO") + say::message('I') + say::ready())}},
      {"nothing_asked", {client(say::flush() + say::sync())}},
  };
}

// Where the first message of a step ends.
std::size_t first_message_bytes(const std::string& bytes) {
  return 1 + base::load_u32(base::as_bytes(bytes).data() + 1);
}

class CutMessagesTest : public testing::TestWithParam<Conversation> {
 protected:
  // Calls with each step and each place inside of it.
  void for_each_cut(const std::function<void(std::size_t step, std::size_t at)>& visit) {
    for (std::size_t step = 0; step < GetParam().steps.size(); ++step) {
      for (std::size_t at = 1; at < GetParam().steps[step].bytes.size(); ++at) visit(step, at);
    }
  }
  const std::vector<Heard> expected = play(GetParam(), whole);
};

TEST_P(CutMessagesTest, cut_in_two_at_every_byte_everybody_hears_the_same) {
  for_each_cut([this](std::size_t cut_step, std::size_t at) {
    const auto pieces = [&](std::size_t step, const std::string& bytes) {
      if (step != cut_step) return std::vector{bytes};
      return std::vector{bytes.substr(0, at), bytes.substr(at)};
    };
    ASSERT_EQ(play(GetParam(), pieces), expected) << "step " << cut_step << " cut at " << at;
  });
}

TEST_P(CutMessagesTest, byte_by_byte_everybody_hears_the_same) {
  EXPECT_EQ(play(GetParam(), single_bytes), expected);
}

TEST_P(CutMessagesTest, through_sockets_that_take_little_at_a_time_everybody_hears_the_same) {
  for (const std::size_t bytes_per_send :
       std::initializer_list<std::size_t>{1, 2, 3, 5, 8, 13, 64}) {
    EXPECT_EQ(play(GetParam(), whole, bytes_per_send), expected) << bytes_per_send;
  }
}

// A client without a server gets none for a part of its first message.
TEST_P(CutMessagesTest, no_server_is_lent_before_a_message_is_whole) {
  for_each_cut([this](std::size_t cut_step, std::size_t at) {
    const Step& step = GetParam().steps[cut_step];
    const bool is_lent_before = cut_step != 0 && expected[cut_step - 1].lent != 0;
    if (step.from == From::Server || is_lent_before || at >= first_message_bytes(step.bytes))
      return;
    Conversation part = GetParam();
    part.steps.resize(cut_step + 1);
    part.steps.back().bytes.resize(at);
    ASSERT_EQ(play(part, whole).back().lent, 0U) << "step " << cut_step << " cut at " << at;
  });
}

// And one that has it keeps it to the last byte of ReadyForQuery.
TEST_P(CutMessagesTest, no_server_is_given_back_before_its_answer_is_whole) {
  for_each_cut([](std::size_t cut_step, std::size_t at) {
    if (GetParam().steps[cut_step].from == From::Client) return;
    Conversation part = GetParam();
    part.steps.resize(cut_step + 1);
    part.steps.back().bytes.resize(at);
    ASSERT_EQ(play(part, whole).back().lent, 1U) << "step " << cut_step << " cut at " << at;
  });
}

INSTANTIATE_TEST_SUITE_P(Conversations, CutMessagesTest, testing::ValuesIn(conversations()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace pgweir::proxy

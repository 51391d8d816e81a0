// ConnectQuery in its states: each message that a server can send it.
// Source of truth: PostgreSQL manual, "Simple Query".

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "session/connect_query.h"
#include "wire/frame.h"
#include "wire/reply.h"
#include "wire/report.h"

namespace pgweir::session {
namespace {

using Step = ConnectQuery::Step;

base::ByteBuffer frame(char type, std::string_view body = {}) {
  base::ByteBuffer out;
  wire::FrameWriter(out, type).bytes(base::as_bytes(body));
  return out;
}
base::ByteBuffer error(std::string_view severity) {
  base::ByteBuffer out;
  wire::encode_error(out, {.severity = std::string(severity),
                           .sqlstate = "42601",
                           .message = "not so",
                           .detail = {},
                           .hint = {}});
  return out;
}
base::ByteBuffer notice() {
  base::ByteBuffer out;
  wire::encode_notice(out, {.severity = "NOTICE",
                            .sqlstate = "00000",
                            .message = "by the way",
                            .detail = {},
                            .hint = {}});
  return out;
}
base::ByteBuffer parameter() {
  base::ByteBuffer out;
  wire::encode_parameter_status(out, "TimeZone", "Europe/Prague");
  return out;
}

struct Said {
  std::string_view name;
  base::ByteBuffer bytes;
};
const std::vector<Said> kStates{
    {"Asked", {}}, {"HasRows", frame('D')}, {"HasFailed", error("ERROR")}};
const std::vector<Said> kMessages{
    {"Row", frame('D')},        {"Complete", frame('C', std::string_view("SET\0", 4))},
    {"Empty", frame('I')},      {"Notice", notice()},
    {"Parameter", parameter()}, {"Error", error("ERROR")},
    {"Fatal", error("FATAL")},
};
const std::vector<Said> kEnds{
    {"Idle", frame('Z', "I")},   {"InBlock", frame('Z', "T")},
    {"Failed", frame('Z', "E")}, {"NoStatus", frame('Z')},
    {"CopyIn", frame('G')},      {"CopyOut", frame('H')},
    {"CopyBoth", frame('W')},    {"Part", base::ByteBuffer(4, std::byte{'Z'})},
};

std::string play(const Said& state, const Said& message) {
  wire::Parameters reported{{"TimeZone", "UTC"}};
  ConnectQuery query(reported);
  base::Bytes before = state.bytes;
  EXPECT_EQ(*query.handle_bytes(before), Step::NeedsMore);
  base::Bytes input = message.bytes;
  const auto step = query.handle_bytes(input);
  if (!step) return step.error().code == base::ErrorCode::Unsupported ? "copies" : ".";
  switch (*step) {
    case Step::NeedsMore: return reported.front().second == "UTC" ? "wait" : "noted";
    case Step::Done: return "done";
    case Step::Refused: return query.refusal().sqlstate == "42601" ? "refused" : "open";
  }
  return {};
}

//   wait  more is due     noted  the same, with a new value of a parameter     done  it is fit
//   refused, open  it is of no use: the query failed, or left a transaction open
//   copies  nobody would feed it     .  it breaks the protocol
TEST(ConnectQueryMatrix, every_message_in_every_state) {
  base::expect_matrix(
      R"(
              Row  Complete Empty Notice Parameter Error Fatal
    Asked     wait wait     wait  wait   noted     wait  refused
    HasRows   wait wait     wait  wait   noted     wait  refused
    HasFailed wait wait     wait  wait   noted     wait  refused
  )",
      base::names_of(kStates), base::names_of(kMessages),
      [](std::size_t state, std::size_t message) {
        return play(kStates[state], kMessages[message]);
      });
  base::expect_matrix(
      R"(
              Idle    InBlock Failed  NoStatus CopyIn CopyOut CopyBoth Part
    Asked     done    open    open    .        copies copies  copies   wait
    HasRows   done    open    open    .        copies copies  copies   wait
    HasFailed refused refused refused refused  copies copies  copies   wait
  )",
      base::names_of(kStates), base::names_of(kEnds),
      [](std::size_t state, std::size_t message) { return play(kStates[state], kEnds[message]); });
}

}  // namespace
}  // namespace pgweir::session

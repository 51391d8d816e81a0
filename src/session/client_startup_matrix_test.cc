// ClientStartup in all its states: each packet that a client can open with.
// Source of truth: PostgreSQL manual "Message Flow", and ProcessStartupPacket in
// src/backend/tcop/backend_startup.c.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "session/client_startup.h"
#include "wire/frame.h"

namespace pgweir::session {
namespace {

base::ByteBuffer code(std::uint32_t number) {
  base::ByteBuffer out;
  base::ByteWriter writer(out);
  writer.u32(8);
  writer.u32(number);
  return out;
}
base::ByteBuffer startup(std::uint32_t protocol, const wire::Parameters& parameters) {
  base::ByteBuffer out;
  wire::encode_startup(out, protocol, parameters);
  return out;
}
base::ByteBuffer cancel() {
  base::ByteBuffer out;
  wire::encode_cancel_request(out, {.pid = 7, .secret = base::ByteBuffer(4)});
  return out;
}
base::ByteBuffer ssl() { return code(wire::kSslRequest); }
base::ByteBuffer gss() { return code(wire::kGssEncRequest); }
base::ByteBuffer both(base::ByteBuffer first, const base::ByteBuffer& second) {
  base::append(first, second);
  return first;
}
base::ByteBuffer message() { return startup(wire::kProtocol30, {{"user", "ann"}}); }

struct State {
  std::string_view name;
  bool has_tls;
  bool is_secured;
  std::vector<base::ByteBuffer> said;  // A handshake follows what grants TLS.
};

const std::vector<State> kStates{
    {"Fresh", true, false, {}},
    {"WithoutTls", false, false, {}},
    {"TlsRefused", false, false, {ssl()}},
    {"GssRefused", true, false, {gss()}},
    {"BothRefused", false, false, {gss(), ssl()}},
    {"Secured", true, false, {ssl()}},
    {"GssThenSecured", true, false, {gss(), ssl()}},
    {"DirectTls", true, true, {}},
};

struct Packet {
  std::string_view name;
  base::ByteBuffer bytes;
};

const std::vector<Packet> kPackets{
    {"Ssl", ssl()},
    {"SslMore", both(ssl(), message())},
    {"Gss", gss()},
    {"GssSsl", both(gss(), ssl())},
    {"Cancel", cancel()},
    {"Startup", message()},
    {"Newer", startup(wire::kProtocol32, {{"user", "ann"}})},
    {"Option", startup(wire::kProtocol30, {{"user", "ann"}, {"_pq_.x", "1"}})},
    {"Older", startup(2U << 16U, {{"user", "ann"}})},
    {"Unknown", code((1234U << 16U) + 1)},
    {"Short", base::ByteBuffer(4)},
    {"Part", base::ByteBuffer(3)},
};

std::string outcome_of(const ClientStartup::Step& step, const base::ByteBuffer& answer) {
  const std::string said = answer.size() > 2 ? "v" : std::string(base::as_text(answer));
  if (std::holds_alternative<wire::StartupMessage>(step)) return said + "login";
  if (std::holds_alternative<wire::CancelKey>(step)) return said + "cancel";
  return said.empty() ? "wait" : said;
}

std::string play(const State& state, const base::ByteBuffer& packet) {
  ClientStartup machine(state.has_tls, state.is_secured);
  base::ByteBuffer answer;
  for (const base::ByteBuffer& said : state.said) {
    base::Bytes input = said;
    const auto step = machine.handle_bytes(input, answer);
    EXPECT_TRUE(step.has_value());
    if (std::holds_alternative<ClientStartup::StartTls>(*step)) machine.handle_secured();
  }
  answer.clear();
  base::Bytes input = packet;
  const auto step = machine.handle_bytes(input, answer);
  if (!step) return step.error().code == base::ErrorCode::Unsupported ? "other" : ".";
  return outcome_of(*step, answer);
}

//   S, N         the answer: a handshake follows, or plain text goes on
//   login        authentication follows      v  in front of it: NegotiateProtocolVersion
//   cancel       a CancelRequest             wait  the packet is not whole
//   .            it breaks the protocol      other  it speaks another one
TEST(ClientStartupMatrix, every_packet_in_every_state) {
  base::expect_matrix(R"(
                   Ssl SslMore Gss GssSsl Cancel Startup Newer  Option Older Unknown Short Part
    Fresh          S   .       N   NS     cancel login   vlogin vlogin other other   .     wait
    WithoutTls     N   Nlogin  N   NN     cancel login   vlogin vlogin other other   .     wait
    TlsRefused     .   .       N   .      cancel login   vlogin vlogin other other   .     wait
    GssRefused     S   .       .   .      cancel login   vlogin vlogin other other   .     wait
    BothRefused    .   .       .   .      cancel login   vlogin vlogin other other   .     wait
    Secured        .   .       .   .      cancel login   vlogin vlogin other other   .     wait
    GssThenSecured .   .       .   .      cancel login   vlogin vlogin other other   .     wait
    DirectTls      N   Nlogin  N   NN     cancel login   vlogin vlogin other other   .     wait
  )",
                      base::names_of(kStates), base::names_of(kPackets),
                      [](std::size_t state, std::size_t packet) {
                        return play(kStates[state], kPackets[packet].bytes);
                      });
}

}  // namespace
}  // namespace pgweir::session

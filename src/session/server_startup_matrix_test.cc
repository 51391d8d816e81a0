// ServerStartup in all its states: each message that a server can say during its login.
// Source of truth: PostgreSQL manual "Message Flow", "Start-up"; libpq's PQconnectPoll.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "session/server_startup.h"
#include "wire/authentication.h"
#include "wire/frame.h"
#include "wire/reply.h"

namespace pgweir::session {
namespace {

using Step = ServerStartup::Step;
using Tls = ServerStartup::Tls;

base::ByteBuffer text(std::string_view bytes) {
  base::ByteBuffer out;
  base::append(out, base::as_bytes(bytes));
  return out;
}
template <class Encode>
base::ByteBuffer made(Encode encode) {
  base::ByteBuffer out;
  encode(out);
  return out;
}

const base::ByteBuffer kOk = made(wire::encode_authentication_ok);
const base::ByteBuffer kPassword = made(wire::encode_cleartext_password_request);
const base::ByteBuffer kReady = made([](auto& out) { wire::encode_ready_for_query(out, 'I'); });
const base::ByteBuffer kError = made([](auto& out) {
  wire::encode_error(out, {.severity = "FATAL",
                           .sqlstate = "53300",
                           .message = "too many clients",
                           .detail = {},
                           .hint = {}});
});

struct Message {
  std::string_view name;
  base::ByteBuffer bytes;
};

const std::vector<Message> kMessages{
    {"Grant", text("S")},
    {"GrantMore", text("SR")},
    {"Deny", text("N")},
    {"Error", kError},
    {"Notice", made([](auto& out) { wire::FrameWriter(out, 'N').u8(0); })},
    {"Ok", kOk},
    {"Clear", kPassword},
    {"Version",
     made([](auto& out) { wire::encode_negotiate_protocol_version(out, wire::kProtocol30, {}); })},
    {"Status", made([](auto& out) { wire::encode_parameter_status(out, "TimeZone", "UTC"); })},
    {"Key", made([](auto& out) {
       wire::encode_backend_key_data(out, {.pid = 1, .secret = base::ByteBuffer(4)});
     })},
    {"Ready", kReady},
    {"InBlock", made([](auto& out) { wire::encode_ready_for_query(out, 'T'); })},
    {"Row", made([](auto& out) { wire::FrameWriter(out, 'D').u16(0); })},
};

struct State {
  std::string_view name;
  Tls tls;
  std::vector<base::ByteBuffer> heard;
};

const std::vector<State> kStates{
    {"AwaitsTls", Tls::Prefer, {}},
    {"RequiresTls", Tls::Require, {}},
    {"Handshake", Tls::Require, {text("S")}},
    {"DirectTls", Tls::Direct, {}},
    {"Asked", Tls::Never, {}},
    {"TlsDenied", Tls::Prefer, {text("N")}},
    {"Answered", Tls::Never, {kPassword}},
    {"Welcomed", Tls::Never, {kOk}},
    {"Ready", Tls::Never, {kOk, kReady}},
    {"Refused", Tls::Never, {kError}},
};

std::string play(const State& state, const base::ByteBuffer& message) {
  ServerStartup::Plan plan;
  plan.tls = state.tls;
  plan.parameters = {{"user", "ann"}};
  plan.auth.user = "ann";
  plan.auth.credential = base::Secret("secret");
  plan.auth.allow_cleartext = true;
  plan.auth.nonce.assign(auth::kServerNonceBytesMin, std::byte{5});
  ServerStartup machine(std::move(plan));
  base::ByteBuffer out;
  machine.handle_opened(out);
  for (const base::ByteBuffer& heard : state.heard) {
    base::Bytes input = heard;
    EXPECT_TRUE(machine.handle_bytes(input, out).has_value());
  }
  out.clear();
  base::Bytes input = message;
  const auto step = machine.handle_bytes(input, out);
  if (!step) {
    EXPECT_TRUE(out.empty()) << "it learns nothing";
    return ".";
  }
  switch (*step) {
    case Step::NeedsMore: return out.empty() ? "wait" : "says";
    case Step::StartTls: return "tls";
    case Step::Ready: return "in";
    case Step::Refused: return "no";
  }
  return {};
}

//   wait  nothing is to be done yet     says  something is said
//   tls   the handshake begins          in    logged in
//   no    the server said no            .     the attempt is over, and the server not trusted
// A single byte where messages are due is the beginning of one, and where a byte is due a Notice
// begins as a denial does.
TEST(ServerStartupMatrix, every_message_in_every_state) {
  base::expect_matrix(R"(
                Grant GrantMore Deny Error Notice Ok   Clear Version Status Key  Ready InBlock Row
    AwaitsTls   tls   .         says .     says   .    .     .       .      .    .     .       .
    RequiresTls tls   .         .    .     .      .    .     .       .      .    .     .       .
    Handshake   .     .         .    .     .      .    .     .       .      .    .     .       .
    DirectTls   .     .         .    .     .      .    .     .       .      .    .     .       .
    Asked       wait  wait      wait no    wait   wait says  .       .      .    .     .       .
    TlsDenied   wait  wait      wait no    wait   wait says  .       .      .    .     .       .
    Answered    wait  wait      wait no    wait   wait .     .       .      .    .     .       .
    Welcomed    wait  wait      wait no    wait   .    .     .       wait   wait in    .       .
    Ready       .     .         .    .     .      .    .     .       .      .    .     .       .
    Refused     .     .         .    .     .      .    .     .       .      .    .     .       .
  )",
                      base::names_of(kStates), base::names_of(kMessages),
                      [](std::size_t state, std::size_t message) {
                        return play(kStates[state], kMessages[message].bytes);
                      });
}

}  // namespace
}  // namespace pgweir::session

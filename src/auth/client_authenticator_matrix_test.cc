// ClientAuthenticator in all its states: each answer that a client can give.
// Source of truth: PostgreSQL manual "Message Flow" and "SASL Authentication"; RFC 5802.

#include <gtest/gtest.h>

#include <functional>

#include "auth/client_authenticator.h"
#include "auth/server_authenticator.h"
#include "base/matrix_test.h"
#include "wire/authentication.h"

namespace pgweir::auth {
namespace {

using Outcome = ClientAuthenticator::Outcome;

// One login, and a client of the right password (or a wrong one) that can answer SCRAM.
struct Scene {
  Scene(Method method, std::string_view password) : server(options(method)), client(as(password)) {}

  static ClientAuthOptions options(Method method) {
    static SaltedPasswordCache cache;
    static const base::Secret kProcessSecret("of the process");
    return {.method = method,
            .user = "anna",
            .credential = std::make_shared<const Credential>(base::Secret("pencil")),
            .tls_binding = {},
            .nonce = {std::byte{7}},
            .process_secret = &kProcessSecret,
            .cache = &cache,
            .scram_iterations = 1};
  }
  static ServerAuthOptions as(std::string_view password) {
    return {.user = "anna",
            .credential = base::Secret(password),
            .channel_binding = ChannelBinding::Disable,
            .is_tls = false,
            .tls_binding = {},
            .allow_cleartext = true,
            .nonce = base::ByteBuffer(kServerNonceBytesMin, std::byte{3}),
            .cache = nullptr};
  }
  void start() { last = *server.start(asked); }
  // What the client says to what it was asked last.
  base::ByteBuffer answer() {
    base::ByteBuffer out;
    if (asked.empty()) return out;
    EXPECT_TRUE(client.handle(base::Bytes(asked).subspan(wire::kHeaderBytes), out).has_value());
    return out;
  }
  base::Result<Outcome> hear(base::Bytes bytes) {
    asked.clear();
    const auto frame = wire::take_frame(bytes, wire::kBodyBytesMax, base::Side::Client);
    EXPECT_TRUE(frame.has_value() && frame->has_value());
    return server.handle(**frame, asked);
  }
  void converse() { last = *hear(answer()); }

  ClientAuthenticator server;
  ServerAuthenticator client;
  base::ByteBuffer asked;  // By the server, as a whole frame.
  Outcome last = Outcome::Continue;
};

struct State {
  std::string_view name;
  Method method;
  std::size_t answers;  // Of the client's, after the start.
};

const std::vector<State> kStates{
    {"Password", Method::Cleartext, 0},    {"Md5", Method::Md5, 0},
    {"SaslFirst", Method::ScramSha256, 0}, {"SaslFinal", Method::ScramSha256, 1},
    {"LetIn", Method::Trust, 0},           {"Accepted", Method::ScramSha256, 2},
};

base::ByteBuffer frame(char type, std::string_view body) {
  base::ByteBuffer out;
  wire::FrameWriter(out, type).bytes(base::as_bytes(body));
  return out;
}

struct Answer {
  std::string_view name;
  std::string_view password;  // The client's.
  std::function<base::ByteBuffer(Scene&)> make;
};

std::function<base::ByteBuffer(Scene&)> says(const base::ByteBuffer& bytes) {
  return [bytes](Scene&) { return bytes; };
}

using namespace std::string_view_literals;

const std::vector<Answer> kAnswers{
    {"Due", "pencil", [](Scene& scene) { return scene.answer(); }},
    {"DueButWrong", "pen", [](Scene& scene) { return scene.answer(); }},
    {"Clear", "pencil", says(frame('p', "pencil\0"sv))},
    {"Md5", "pencil", says(frame('p', "md5c4ca4238a0b923820dcc509a6f75849b\0"sv))},
    {"First", "pencil", says(frame('p', "SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc"sv))},
    {"Final", "pencil", says(frame('p', "c=biws,r=abc,p=AAAA"sv))},
    {"OtherWay", "pencil", says(frame('p', "SCRAM-SHA-1\0\0\0\0\x0bn,,n=,r=abc"sv))},
    {"Empty", "pencil", says(frame('p', ""))},
    {"TooLong", "pencil", says(frame('p', std::string(70'000, 'x') + '\0'))},
    {"Query", "pencil", says(frame('Q', "select 1\0"sv))},
};

std::string play(const State& state, const Answer& answer) {
  Scene scene(state.method, answer.password);
  scene.start();
  for (std::size_t i = 0; i < state.answers; ++i) {
    if (scene.last != Outcome::Continue) break;
    scene.converse();
  }
  if (scene.last == Outcome::Refused) return "-";
  const base::ByteBuffer said = answer.make(scene);
  if (said.empty()) return "-";
  const auto outcome = scene.hear(said);
  if (!outcome) {
    EXPECT_FALSE(scene.hear(frame('p', "pencil\0"sv)).has_value()) << "nothing brings it back";
    return ".";
  }
  switch (*outcome) {
    case Outcome::Continue: return "asked";
    case Outcome::Accepted: return "in";
    case Outcome::Refused: return "out";
  }
  return {};
}

//   in  the password was right       out  it was wrong           asked  the next step is due
//   .   it breaks the protocol       -    nothing is due, or it did not come so far
TEST(ClientAuthenticatorMatrix, every_answer_in_every_state) {
  base::expect_matrix(
      R"(
              Due   DueButWrong Clear Md5 First Final OtherWay Empty TooLong Query
    Password  in    out         in    out .     .     .        .     .       .
    Md5       in    out         out   out .     .     .        .     .       .
    SaslFirst asked asked       .     .   asked .     .        .     .       .
    SaslFinal in    out         .     .   .     .     .        .     .       .
    LetIn     -     -           .     .   .     .     .        .     .       .
    Accepted  -     -           .     .   .     .     .        .     .       .
  )",
      base::names_of(kStates), base::names_of(kAnswers),
      [](std::size_t state, std::size_t answer) { return play(kStates[state], kAnswers[answer]); });
}

}  // namespace
}  // namespace pgweir::auth

#include "auth/server_authenticator.h"

#include <gtest/gtest.h>

#include <array>

#include "auth/base64.h"
#include "auth/scram_server.h"
#include "base/matrix_test.h"
#include "wire/frame.h"

namespace pgweir::auth {
namespace {

using base::ErrorCode;
using Outcome = ServerAuthenticator::Outcome;

constexpr std::array<std::byte, 4> kSalt{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

ServerAuthOptions options_with(ServerCredential credential) {
  return {.user = "anna",
          .credential = std::move(credential),
          .channel_binding = ChannelBinding::Prefer,
          .is_tls = false,
          .tls_binding = {},
          .allow_cleartext = true,
          .nonce = base::ByteBuffer(18, std::byte{3}),
          .cache = nullptr};
}

base::ByteBuffer body_of(const base::ByteBuffer& frame) {
  return {frame.begin() + wire::kHeaderBytes, frame.end()};
}
base::ByteBuffer ok() {
  base::ByteBuffer out;
  wire::encode_authentication_ok(out);
  return body_of(out);
}
base::ByteBuffer cleartext() {
  base::ByteBuffer out;
  wire::encode_cleartext_password_request(out);
  return body_of(out);
}
base::ByteBuffer md5() {
  base::ByteBuffer out;
  wire::encode_md5_password_request(out, kSalt);
  return body_of(out);
}
base::ByteBuffer sasl() {
  base::ByteBuffer out;
  wire::encode_sasl_request(out, std::array<std::string_view, 1>{"SCRAM-SHA-256"});
  return body_of(out);
}
base::ByteBuffer sasl_continue(std::string_view data) {
  base::ByteBuffer out;
  wire::encode_sasl_continue(out, base::as_bytes(data));
  return body_of(out);
}
base::ByteBuffer sasl_final(std::string_view data) {
  base::ByteBuffer out;
  wire::encode_sasl_final(out, base::as_bytes(data));
  return body_of(out);
}
base::ByteBuffer unsupported() {
  base::ByteBuffer body;
  base::ByteWriter(body).u32(7);
  return body;
}

// Plays PostgreSQL's part of a SCRAM login by hand, so that it can be stopped after any step.
class Scripted {
 public:
  enum class Stage { Start, PasswordSent, SaslFirstSent, SaslFinalSent, SaslVerified, Done };

  explicit Scripted(ServerCredential credential = base::Secret("pencil"))
      : client(options_with(std::move(credential))), server_(server_options()) {}

  void go_to(Stage stage) {
    if (stage == Stage::Start) return;
    if (stage == Stage::PasswordSent) {
      EXPECT_EQ(*client.handle(cleartext(), out), Outcome::Continue);
      return;
    }
    EXPECT_EQ(*client.handle(sasl(), out), Outcome::Continue);
    const base::ByteBuffer first_body = body_of(out);
    const auto first = wire::parse_sasl_initial_response(first_body);
    challenge = *server_.handle_first(first->mechanism, *first->data);
    out.clear();
    if (stage == Stage::SaslFirstSent) return;
    EXPECT_EQ(*client.handle(sasl_continue(challenge), out), Outcome::Continue);
    proof = **server_.handle_final(body_of(out));
    out.clear();
    if (stage == Stage::SaslFinalSent) return;
    EXPECT_EQ(*client.handle(sasl_final(proof), out), Outcome::Continue);
    EXPECT_TRUE(out.empty());
    if (stage == Stage::SaslVerified) return;
    EXPECT_EQ(*client.handle(ok(), out), Outcome::Done);
  }

  ServerAuthenticator client;
  base::ByteBuffer out;
  std::string challenge = "r=x,s=QUJD,i=1";
  std::string proof = "v=AAAA";

 private:
  static ScramServerOptions server_options() {
    const base::ByteBuffer salt(16, std::byte{1});
    static const ScramVerifier kVerifier =
        make_scram_verifier(derive_scram_keys(base::Secret("pencil"), salt, 16), salt, 16);
    return {.secret = &kVerifier, .tls_binding = {}, .nonce = "server"};
  }
  ScramServer server_;
};

std::string_view name_of(Scripted::Stage stage) {
  switch (stage) {
    case Scripted::Stage::Start: return "Start";
    case Scripted::Stage::PasswordSent: return "PasswordSent";
    case Scripted::Stage::SaslFirstSent: return "SaslFirstSent";
    case Scripted::Stage::SaslFinalSent: return "SaslFinalSent";
    case Scripted::Stage::SaslVerified: return "SaslVerified";
    case Scripted::Stage::Done: return "Done";
  }
  return {};
}

struct Request {
  std::string_view name;
  base::ByteBuffer (*make)(const Scripted&);
};
const std::vector<Request> kRequests{
    {"Ok", [](const Scripted&) { return ok(); }},
    {"Cleartext", [](const Scripted&) { return cleartext(); }},
    {"Md5", [](const Scripted&) { return md5(); }},
    {"Sasl", [](const Scripted&) { return sasl(); }},
    {"Continue", [](const Scripted& login) { return sasl_continue(login.challenge); }},
    {"Final", [](const Scripted& login) { return sasl_final(login.proof); }},
    {"Unsupported", [](const Scripted&) { return unsupported(); }},
};

std::string play(Scripted::Stage stage, const Request& request) {
  Scripted login;
  login.go_to(stage);
  login.out.clear();
  const auto outcome = login.client.handle(request.make(login), login.out);
  if (outcome.has_value()) return *outcome == Outcome::Done ? "in" : "goes_on";
  EXPECT_TRUE(login.out.empty());
  EXPECT_FALSE(login.client.handle(ok(), login.out).has_value()) << "nothing brings it back";
  if (outcome.error().code == ErrorCode::AuthenticationFailed) return "not_proved";
  return outcome.error().code == ErrorCode::Unsupported ? "foreign" : ".";
}

// `.`: it breaks the protocol.
TEST(ServerAuthenticatorMatrix, every_request_in_every_state) {
  using Stage = Scripted::Stage;
  base::expect_matrix(R"(
                  Ok         Cleartext Md5     Sasl    Continue Final   Unsupported
    Start         in         goes_on   goes_on goes_on .        .       foreign
    PasswordSent  in         .         .       .       .        .       foreign
    SaslFirstSent not_proved .         .       .       goes_on  .       foreign
    SaslFinalSent not_proved .         .       .       .        goes_on foreign
    SaslVerified  in         .         .       .       .        .       foreign
    Done          .          .         .       .       .        .       foreign
  )",
                      base::names_of<Stage>(name_of), base::names_of(kRequests),
                      [](std::size_t stage, std::size_t request) {
                        return play(static_cast<Stage>(stage), kRequests[request]);
                      });
}

TEST(ServerAuthenticatorTest, a_server_that_skips_its_proof_is_refused) {
  for (const auto stage : {Scripted::Stage::SaslFirstSent, Scripted::Stage::SaslFinalSent}) {
    Scripted login;
    login.go_to(stage);
    const auto outcome = login.client.handle(ok(), login.out);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, ErrorCode::AuthenticationFailed);
    EXPECT_EQ(outcome.error().side, base::Side::Server);
  }
}

TEST(ServerAuthenticatorTest, a_request_cut_at_any_byte_is_refused) {
  for (const base::ByteBuffer& body : {ok(), cleartext(), md5(), sasl()}) {
    for (std::size_t cut = 0; cut < body.size(); ++cut) {
      Scripted login;
      const base::ByteBuffer shorter(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(cut));
      EXPECT_FALSE(login.client.handle(shorter, login.out).has_value()) << cut;
      EXPECT_TRUE(login.out.empty());
    }
  }
}

TEST(ServerAuthenticatorTest, a_missing_password_is_said_by_name) {
  for (const base::ByteBuffer& body : {cleartext(), md5(), sasl()}) {
    for (const ServerCredential& nothing : {ServerCredential(), ServerCredential(base::Secret())}) {
      ServerAuthenticator client(options_with(nothing));
      base::ByteBuffer out;
      const auto outcome = client.handle(body, out);
      ASSERT_FALSE(outcome.has_value());
      EXPECT_EQ(outcome.error().code, ErrorCode::AuthenticationFailed);
      EXPECT_EQ(outcome.error().side, base::Side::Self);
      EXPECT_NE(outcome.error().context.find("\"anna\""), std::string::npos);
      EXPECT_TRUE(out.empty());
    }
  }
}

TEST(ServerAuthenticatorTest, without_a_password_a_trusting_server_is_fine) {
  ServerAuthenticator client(options_with(std::monostate()));
  base::ByteBuffer out;
  EXPECT_EQ(*client.handle(ok(), out), Outcome::Done);
}

TEST(ServerAuthenticatorTest, no_password_in_clear_where_others_could_read) {
  ServerAuthOptions options = options_with(base::Secret("pencil"));
  options.allow_cleartext = false;
  ServerAuthenticator client(options);
  base::ByteBuffer out;
  const auto outcome = client.handle(cleartext(), out);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(outcome.error().context.find("pencil"), std::string::npos);
}

TEST(ServerAuthenticatorTest, required_channel_binding_allows_nothing_unbound) {
  for (const base::ByteBuffer& body : {ok(), cleartext(), md5(), sasl()}) {
    ServerAuthOptions options = options_with(base::Secret("pencil"));
    options.channel_binding = ChannelBinding::Require;
    options.is_tls = true;
    options.tls_binding = base::ByteBuffer(32, std::byte{1});
    ServerAuthenticator client(options);
    base::ByteBuffer out;
    const auto outcome = client.handle(body, out);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, ErrorCode::AuthenticationFailed);
    EXPECT_TRUE(out.empty());
  }
}

// The answer for user anna, password pencil, salt 01020304, computed apart from this code.
TEST(ServerAuthenticatorTest, md5_answers_alike_from_password_and_hash) {
  for (const ServerCredential& credential :
       {ServerCredential(base::Secret("pencil")),
        ServerCredential(*make_md5_hash("anna", base::Secret("pencil")))}) {
    ServerAuthenticator client(options_with(credential));
    base::ByteBuffer out;
    ASSERT_EQ(*client.handle(md5(), out), Outcome::Continue);
    const base::ByteBuffer body = body_of(out);
    EXPECT_EQ(*wire::parse_password_message(body), "md57df77f9b6d18232379434c001cb33f20");
    EXPECT_EQ(*client.handle(ok(), out), Outcome::Done);
  }
}

TEST(ServerAuthenticatorTest, a_secret_of_the_wrong_kind_says_so) {
  const ScramKeys keys = derive_scram_keys(base::Secret("pencil"), kSalt, 1);
  base::ByteBuffer out;
  EXPECT_FALSE(ServerAuthenticator(options_with(keys)).handle(md5(), out).has_value());
  EXPECT_FALSE(ServerAuthenticator(options_with(keys)).handle(cleartext(), out).has_value());
  const Md5Hash hash = *make_md5_hash("anna", base::Secret("pencil"));
  EXPECT_FALSE(ServerAuthenticator(options_with(hash)).handle(sasl(), out).has_value());
  EXPECT_FALSE(ServerAuthenticator(options_with(hash)).handle(cleartext(), out).has_value());
  EXPECT_TRUE(out.empty());
}

TEST(ServerAuthenticatorTest, two_hundred_logins_derive_once) {
  SaltedPasswordCache cache;
  const base::ByteBuffer salt(16, std::byte{1});
  for (int i = 0; i < 200; ++i) {
    ServerAuthOptions options = options_with(base::Secret("pencil"));
    options.cache = &cache;
    ServerAuthenticator client(options);
    base::ByteBuffer out;
    ASSERT_TRUE(client.handle(sasl(), out).has_value());
    const std::string challenge = "r=" + encode_base64(options.nonce) + std::to_string(i) +
                                  ",s=" + encode_base64(salt) + ",i=4096";
    ASSERT_TRUE(client.handle(sasl_continue(challenge), out).has_value());
  }
  EXPECT_EQ(cache.entry_count(), 1U);
}

}  // namespace
}  // namespace pgweir::auth

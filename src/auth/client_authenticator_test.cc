#include "auth/client_authenticator.h"

#include <gtest/gtest.h>

#include <array>

#include "auth/decoy.h"
#include "auth/scram_client.h"
#include "auth/server_authenticator.h"
#include "wire/authentication.h"

namespace pgweir::auth {
namespace {

using base::ErrorCode;
using Outcome = ClientAuthenticator::Outcome;

const base::Secret kPassword("correct horse");
const base::ByteBuffer kBinding(32, std::byte{0x5a});

Credential as_plain() { return kPassword; }
Credential as_md5() { return *make_md5_hash("anna", kPassword); }
Credential as_verifier() {
  const base::ByteBuffer salt(16, std::byte{9});
  static const ScramVerifier kVerifier =
      make_scram_verifier(derive_scram_keys(kPassword, salt, 4096), salt, 4096);
  return kVerifier;
}

ClientAuthOptions options_for(Method method, Credential credential) {
  static const base::Secret kProcessSecret("of the process");
  static SaltedPasswordCache cache;
  return {.method = method,
          .user = "anna",
          .credential = std::make_shared<const Credential>(std::move(credential)),
          .tls_binding = {},
          .nonce = {std::byte{7}},
          .process_secret = &kProcessSecret,
          .cache = &cache};
}

// Nobody is called like this; `model` is the listed user that such a name plays.
ClientAuthOptions unknown_for(Method method, Credential model) {
  ClientAuthOptions options = options_for(method, std::move(model));
  options.is_known = false;
  return options;
}

ServerAuthOptions client_side(std::string_view password) {
  return {.user = "anna",
          .credential = base::Secret(password),
          .channel_binding = ChannelBinding::Prefer,
          .is_tls = false,
          .tls_binding = {},
          .allow_cleartext = true,
          .nonce = base::ByteBuffer(18, std::byte{3}),
          .cache = nullptr};
}

wire::Frame only_frame(const base::ByteBuffer& bytes) {
  base::Bytes input = bytes;
  const auto frame = wire::take_frame(input, wire::kBodyBytesMax, base::Side::Self);
  EXPECT_TRUE(frame.has_value() && frame->has_value() && input.empty());
  return **frame;
}

// The i= of the server-first-message.
std::string iterations_asked_for(ClientAuthOptions options) {
  ClientAuthenticator server(std::move(options));
  base::ByteBuffer out;
  EXPECT_TRUE(server.start(out).has_value());
  ServerAuthenticator client(client_side("whatever"));
  base::ByteBuffer answer;
  EXPECT_TRUE(client.handle(only_frame(out).body, answer).has_value());
  out.clear();
  EXPECT_TRUE(server.handle(only_frame(answer), out).has_value());
  const std::string text(base::as_text(out));
  return text.substr(text.rfind(",i="));
}

// Lets the two authenticators talk; the kinds of requests seen are noted in `requests`, as the
// codes of the 'R' bodies.
base::Result<Outcome> converse(ClientAuthenticator& server, ServerAuthenticator& client,
                               std::vector<std::uint32_t>* requests = nullptr) {
  base::ByteBuffer to_client;
  Outcome outcome = TRY(server.start(to_client));
  while (outcome == Outcome::Continue) {
    const wire::Frame request = only_frame(to_client);
    if (requests != nullptr) requests->push_back(base::load_u32(request.body.data()));
    base::ByteBuffer to_server;
    TRY(client.handle(request.body, to_server));
    to_client.clear();
    outcome = TRY(server.handle(only_frame(to_server), to_client));
  }
  if (outcome == Outcome::Refused || to_client.empty()) return outcome;
  // The server's proof comes with the acceptance, and the client must like it.
  base::ByteBuffer nothing;
  TRY(client.handle(only_frame(to_client).body, nothing));
  return outcome;
}

struct Login {
  std::string_view name;
  Method method;
  Credential (*credential)();
  bool is_possible;
};

class EveryMethodAndSecret : public testing::TestWithParam<Login> {};

TEST_P(EveryMethodAndSecret, the_right_password_comes_in_and_a_wrong_one_does_not) {
  const Login& test = GetParam();
  {
    ClientAuthenticator server(options_for(test.method, test.credential()));
    ServerAuthenticator client(client_side(kPassword.reveal()));
    const auto outcome = converse(server, client);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(*outcome == Outcome::Accepted, test.is_possible);
    EXPECT_EQ(server.refusal(), test.is_possible ? Refusal::None : Refusal::UnusableSecret);
  }
  for (const std::string_view wrong : {"correct hors", "Correct horse", "x"}) {
    ClientAuthenticator server(options_for(test.method, test.credential()));
    ServerAuthenticator client(client_side(wrong));
    const auto outcome = converse(server, client);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(*outcome, Outcome::Refused) << wrong;
    EXPECT_NE(server.refusal(), Refusal::None);
    EXPECT_EQ(server.proven_keys(), nullptr);
    EXPECT_TRUE(server.proven_password().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Logins, EveryMethodAndSecret,
    testing::Values(Login{"cleartext_plain", Method::Cleartext, as_plain, true},
                    Login{"cleartext_md5", Method::Cleartext, as_md5, true},
                    Login{"cleartext_scram", Method::Cleartext, as_verifier, true},
                    Login{"md5_plain", Method::Md5, as_plain, true},
                    Login{"md5_md5", Method::Md5, as_md5, true},
                    Login{"md5_scram", Method::Md5, as_verifier, true},
                    Login{"scram_plain", Method::ScramSha256, as_plain, true},
                    Login{"scram_md5", Method::ScramSha256, as_md5, false},
                    Login{"scram_scram", Method::ScramSha256, as_verifier, true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ClientAuthenticatorTest, hashes_a_plain_password_as_often_as_told_and_pretends_to) {
  for (const bool is_known : {true, false}) {
    ClientAuthOptions options = options_for(Method::ScramSha256, as_plain());
    options.is_known = is_known;
    options.scram_iterations = 10'000;
    EXPECT_EQ(iterations_asked_for(options), ",i=10000") << is_known;
  }
}

TEST(ClientAuthenticatorTest, trust_takes_known_users_only) {
  base::ByteBuffer out;
  ClientAuthenticator known(options_for(Method::Trust, base::Secret()));
  EXPECT_EQ(*known.start(out), Outcome::Accepted);
  ClientAuthenticator unknown(unknown_for(Method::Trust, as_plain()));
  EXPECT_EQ(*unknown.start(out), Outcome::Refused);
  EXPECT_EQ(unknown.refusal(), Refusal::UnknownUser);
  EXPECT_TRUE(out.empty());
}

TEST(ClientAuthenticatorTest, md5_with_a_scram_secret_is_scram) {
  ClientAuthenticator server(options_for(Method::Md5, as_verifier()));
  ServerAuthenticator client(client_side(kPassword.reveal()));
  std::vector<std::uint32_t> requests;
  ASSERT_TRUE(converse(server, client, &requests).has_value());
  EXPECT_EQ(requests, (std::vector<std::uint32_t>{10, 11}));
}

// All that shows of a refused login: of each request its code, its length and how many derivations
// there were before it, and last how many there were in all. Salts differ from name to name and are
// left out.
std::string trace(ClientAuthOptions options, std::string_view password) {
  const SaltedPasswordCache& cache = *options.cache;
  const std::uint64_t before = cache.derivation_count();
  ClientAuthenticator server(std::move(options));
  ServerAuthenticator client(client_side(password));
  std::string seen;
  base::ByteBuffer to_client;
  auto outcome = server.start(to_client);
  while (outcome.has_value() && *outcome == Outcome::Continue) {
    const base::Bytes body = only_frame(to_client).body;
    for (const std::uint64_t part :
         {std::uint64_t{base::load_u32(body.data())}, std::uint64_t{body.size()},
          cache.derivation_count() - before}) {
      seen += std::to_string(part) + ' ';
    }
    base::ByteBuffer to_server;
    EXPECT_TRUE(client.handle(body, to_server).has_value());
    to_client.clear();
    outcome = server.handle(only_frame(to_server), to_client);
  }
  EXPECT_TRUE(to_client.empty() && outcome.has_value() && *outcome == Outcome::Refused);
  return seen + std::to_string(cache.derivation_count() - before);
}

struct Form {
  std::string_view name;
  Credential (*credential)();
};
constexpr std::array kForms{Form{"plain", as_plain}, Form{"md5", as_md5},
                            Form{"verifier", as_verifier}};

TEST(ClientAuthenticatorTest, an_unknown_user_looks_like_a_wrong_password_and_costs_the_same) {
  for (const Method method : {Method::Cleartext, Method::Md5, Method::ScramSha256}) {
    for (const auto& [name, credential] : kForms) {
      const std::string known = trace(options_for(method, credential()), "wrong");
      EXPECT_EQ(trace(unknown_for(method, credential()), "wrong"), known) << name;
      // Neither does the right password of the listed one help, nor asking again.
      EXPECT_EQ(trace(unknown_for(method, credential()), kPassword.reveal()), known) << name;
      // Nor does it show whether the listed one has been here.
      ClientAuthenticator server(options_for(method, credential()));
      ServerAuthenticator client(client_side(kPassword.reveal()));
      EXPECT_TRUE(converse(server, client).has_value());
      EXPECT_EQ(trace(options_for(method, credential()), "wrong"), known) << name;
    }
  }
}

TEST(ClientAuthenticatorTest, nothing_is_derived_before_there_is_a_proof) {
  EXPECT_EQ(trace(options_for(Method::ScramSha256, as_plain()), "wrong"), "10 19 0 11 88 0 1");
  EXPECT_EQ(trace(options_for(Method::ScramSha256, as_verifier()), "wrong"), "10 19 0 11 88 0 0");
}

TEST(ClientAuthenticatorTest, a_secret_of_no_use_looks_like_a_plain_password) {
  const std::string plain = trace(options_for(Method::ScramSha256, as_plain()), "wrong");
  for (const Credential& useless : {as_md5(), Credential()}) {
    EXPECT_EQ(trace(options_for(Method::ScramSha256, useless), "wrong"), plain);
    EXPECT_EQ(trace(unknown_for(Method::ScramSha256, useless), "wrong"), plain);
  }
}

TEST(DecoyTest, names_are_always_the_same_and_play_all_users) {
  const base::Secret secret("of the process");
  std::array<int, 3> count{};
  for (int i = 0; i < 300; ++i) {
    const std::string user = "user " + std::to_string(i);
    const std::size_t model = choose_model(secret, user, count.size());
    EXPECT_EQ(choose_model(secret, user, count.size()), model);
    ++count.at(model);
  }
  for (const int users : count) EXPECT_GT(users, 60);
}

TEST(DecoyTest, has_the_form_of_the_model_and_nothing_of_its_secret) {
  const base::Secret secret("of the process");
  ScramVerifier model = std::get<ScramVerifier>(as_verifier());
  model.iterations = 12'345;
  const auto decoy = std::get<ScramVerifier>(make_decoy(model, secret, "berta"));
  EXPECT_EQ(decoy.iterations, model.iterations);
  EXPECT_EQ(decoy.salt, make_stable_salt(secret, "berta"));
  EXPECT_FALSE(is_equal(decoy.stored_key, model.stored_key));
  EXPECT_TRUE(std::holds_alternative<Md5Hash>(make_decoy(as_md5(), secret, "berta")));
  const auto password = std::get<base::Secret>(make_decoy(as_plain(), secret, "berta"));
  EXPECT_FALSE(password.is_equal(kPassword.reveal()));
  EXPECT_FALSE(
      password.is_equal(std::get<base::Secret>(make_decoy(as_plain(), secret, "anna")).reveal()));
}

// It cannot be guessed; who has it nevertheless does not come in either.
TEST(ClientAuthenticatorTest, the_decoy_itself_lets_nobody_in) {
  const ClientAuthOptions options = unknown_for(Method::ScramSha256, as_plain());
  const auto decoy =
      std::get<base::Secret>(make_decoy(as_plain(), *options.process_secret, options.user));
  for (const Method method : {Method::Cleartext, Method::Md5, Method::ScramSha256}) {
    ClientAuthenticator server(unknown_for(method, as_plain()));
    ServerAuthenticator client(client_side(decoy.reveal()));
    EXPECT_EQ(*converse(server, client), Outcome::Refused);
    EXPECT_EQ(server.refusal(), Refusal::UnknownUser);
    EXPECT_EQ(server.proven_keys(), nullptr);
    EXPECT_TRUE(server.proven_password().empty());
  }
}

TEST(ClientAuthenticatorTest, an_empty_password_never_fits) {
  for (const Method method : {Method::Cleartext, Method::Md5, Method::ScramSha256}) {
    ClientAuthenticator server(options_for(method, base::Secret()));
    base::ByteBuffer out;
    ASSERT_EQ(*server.start(out), Outcome::Continue);
    if (method != Method::Cleartext) continue;
    base::ByteBuffer answer;
    wire::encode_password_message(answer, "");
    EXPECT_EQ(*server.handle(only_frame(answer), out), Outcome::Refused);
    EXPECT_EQ(server.refusal(), Refusal::UnusableSecret);
  }
  // The md5 answer that an empty password gives.
  ClientAuthenticator server(options_for(Method::Md5, base::Secret()));
  base::ByteBuffer out;
  ASSERT_EQ(*server.start(out), Outcome::Continue);
  const std::array<std::byte, 4> salt{std::byte{7}, std::byte{7}, std::byte{7}, std::byte{7}};
  base::ByteBuffer answer;
  wire::encode_password_message(
      answer, make_md5_response(*make_md5_hash("anna", base::Secret()), salt)->reveal());
  EXPECT_EQ(*server.handle(only_frame(answer), out), Outcome::Refused);
}

TEST(ClientAuthenticatorTest, what_a_client_proved_is_there_for_the_next_login) {
  ClientAuthenticator scram(options_for(Method::ScramSha256, as_verifier()));
  ServerAuthenticator first(client_side(kPassword.reveal()));
  ASSERT_EQ(*converse(scram, first), Outcome::Accepted);
  ASSERT_NE(scram.proven_keys(), nullptr);

  ServerAuthOptions onward = client_side("");
  onward.credential = *scram.proven_keys();
  ServerAuthenticator second(onward);
  ClientAuthenticator postgres(options_for(Method::ScramSha256, as_verifier()));
  EXPECT_EQ(*converse(postgres, second), Outcome::Accepted);

  ClientAuthenticator clear(options_for(Method::Cleartext, as_verifier()));
  ServerAuthenticator third(client_side(kPassword.reveal()));
  ASSERT_EQ(*converse(clear, third), Outcome::Accepted);
  EXPECT_EQ(clear.proven_password().reveal(), kPassword.reveal());
  EXPECT_EQ(clear.proven_keys(), nullptr);
}

TEST(ClientAuthenticatorTest, offers_plus_first_when_there_is_a_binding) {
  ClientAuthOptions options = options_for(Method::ScramSha256, as_verifier());
  options.tls_binding = kBinding;
  ClientAuthenticator server(options);
  ServerAuthOptions client_options = client_side(kPassword.reveal());
  client_options.is_tls = true;
  client_options.tls_binding = kBinding;
  client_options.channel_binding = ChannelBinding::Require;
  ServerAuthenticator client(client_options);
  EXPECT_EQ(*converse(server, client), Outcome::Accepted);
}

TEST(ClientAuthenticatorTest, the_cache_keeps_only_passwords_that_proved_right) {
  SaltedPasswordCache cache;
  for (const std::string_view password : {"wrong", "correct horse", "correct horse"}) {
    ClientAuthOptions options = options_for(Method::Cleartext, as_verifier());
    options.cache = &cache;
    ClientAuthenticator server(options);
    ServerAuthenticator client(client_side(password));
    ASSERT_TRUE(converse(server, client).has_value());
    EXPECT_EQ(cache.entry_count(), password == "wrong" ? 0U : 1U);
  }
}

// The matrix of states and messages: every message is sent in every state, and only the one that is
// due is not a violation.
enum class Stage { Password, Md5, SaslFirst, SaslFinal, Finished };

ClientAuthenticator at_stage(Stage stage) {
  const bool is_scram = stage == Stage::SaslFirst || stage == Stage::SaslFinal;
  const Method method = is_scram              ? Method::ScramSha256
                        : stage == Stage::Md5 ? Method::Md5
                                              : Method::Cleartext;
  ClientAuthenticator server(options_for(method, is_scram ? as_verifier() : as_plain()));
  base::ByteBuffer out;
  EXPECT_TRUE(server.start(out).has_value());
  base::ByteBuffer answer;
  if (stage == Stage::SaslFinal) {
    wire::encode_sasl_initial_response(answer, {"SCRAM-SHA-256", base::as_bytes("n,,n=,r=abc")});
    EXPECT_EQ(*server.handle(only_frame(answer), out), Outcome::Continue);
  } else if (stage == Stage::Finished) {
    wire::encode_password_message(answer, "wrong");
    EXPECT_EQ(*server.handle(only_frame(answer), out), Outcome::Refused);
  }
  return server;
}

TEST(ClientAuthenticatorTest, a_message_that_is_not_due_is_a_violation_and_ends_it) {
  base::ByteBuffer first;
  wire::encode_sasl_initial_response(first, {"SCRAM-SHA-256", base::as_bytes("n,,n=,r=abc")});
  base::ByteBuffer password;
  wire::encode_password_message(password, "wrong");
  base::ByteBuffer query;
  wire::FrameWriter(query, 'Q').c_string("select 1");
  base::ByteBuffer no_data;
  wire::encode_sasl_initial_response(no_data, {"SCRAM-SHA-256", std::nullopt});
  base::ByteBuffer unterminated;
  wire::FrameWriter(unterminated, 'p').text("wrong");
  const std::vector<const base::ByteBuffer*> messages{&first, &password, &query, &no_data,
                                                      &unterminated};
  const auto is_due = [&](Stage stage, const base::ByteBuffer* message) {
    switch (stage) {
      case Stage::Password:
      case Stage::Md5: return message == &password;
      case Stage::SaslFirst: return message == &first;
      case Stage::SaslFinal:
      case Stage::Finished: return false;
    }
    return false;
  };
  for (const Stage stage :
       {Stage::Password, Stage::Md5, Stage::SaslFirst, Stage::SaslFinal, Stage::Finished}) {
    for (const base::ByteBuffer* message : messages) {
      ClientAuthenticator server = at_stage(stage);
      base::ByteBuffer out;
      const auto outcome = server.handle(only_frame(*message), out);
      ASSERT_EQ(outcome.has_value(), is_due(stage, message)) << static_cast<int>(stage);
      if (outcome.has_value()) continue;
      EXPECT_EQ(outcome.error().code, ErrorCode::ProtocolViolation);
      EXPECT_TRUE(out.empty());
      // Nothing brings it back to life.
      EXPECT_FALSE(server.handle(only_frame(password), out).has_value());
    }
  }
}

TEST(ClientAuthenticatorTest, a_long_password_is_fine_and_an_endless_one_is_not) {
  const std::string token(4096, 't');
  ClientAuthenticator server(options_for(Method::Cleartext, base::Secret(token)));
  ServerAuthenticator client(client_side(token));
  EXPECT_EQ(*converse(server, client), Outcome::Accepted);

  ClientAuthenticator other(options_for(Method::Cleartext, as_plain()));
  base::ByteBuffer out;
  ASSERT_TRUE(other.start(out).has_value());
  base::ByteBuffer answer;
  wire::encode_password_message(answer, std::string(wire::kAuthenticationBodyBytesMax, 'x'));
  EXPECT_FALSE(other.handle(only_frame(answer), out).has_value());
}

TEST(CredentialTest, is_told_by_its_form) {
  EXPECT_TRUE(std::holds_alternative<base::Secret>(parse_credential("hunter2")));
  EXPECT_TRUE(std::holds_alternative<base::Secret>(parse_credential("")));
  EXPECT_TRUE(
      std::holds_alternative<Md5Hash>(parse_credential("md5900150983cd24fb0d6963f7d28e17f72")));
  // Upper case, one digit short: plain passwords, as in PostgreSQL.
  EXPECT_TRUE(std::holds_alternative<base::Secret>(
      parse_credential("md5900150983CD24FB0D6963F7D28E17F72")));
  EXPECT_TRUE(
      std::holds_alternative<base::Secret>(parse_credential("md5900150983cd24fb0d6963f7d28e17f7")));
  EXPECT_TRUE(std::holds_alternative<ScramVerifier>(
      parse_credential(format_scram_verifier(std::get<ScramVerifier>(as_verifier())))));
}

// md5("foobar").
TEST(Md5Test, hashes_the_password_before_the_name) {
  EXPECT_EQ(make_md5_hash("bar", base::Secret("foo"))->text.reveal(),
            "md53858f62230ac3c915f300c664312c63f");
}

}  // namespace
}  // namespace pgweir::auth

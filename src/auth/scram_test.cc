// The two ends of SCRAM against the standard's example, against each other, and each against a
// hostile peer.
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "auth/base64.h"
#include "auth/salted_password_cache.h"
#include "auth/scram_client.h"
#include "auth/scram_exchange.h"
#include "auth/scram_server.h"

namespace pgweir::auth {
namespace {

using base::as_bytes;
using base::ErrorCode;

// RFC 7677, section 3.
constexpr std::string_view kRfcPassword = "pencil";
constexpr std::string_view kRfcSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr std::string_view kRfcServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kRfcClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kRfcServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kRfcClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kRfcServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const base::ByteBuffer kBinding(32, std::byte{0x5a});

ScramVerifier a_verifier(std::string_view password = kRfcPassword,
                         std::uint32_t iterations = 4096) {
  const base::ByteBuffer salt = *decode_base64(kRfcSalt);
  const ScramKeys keys = derive_scram_keys(base::Secret(password), salt, iterations);
  return make_scram_verifier(keys, salt, iterations);
}

ScramServer a_server(base::ByteBuffer binding = {}) {
  static const ScramVerifier kVerifier = a_verifier();
  return ScramServer({.secret = &kVerifier,
                      .tls_binding = std::move(binding),
                      .nonce = std::string(kRfcServerNonce)});
}

TEST(ScramVerifierTest, survives_the_trip_in_postgresqls_form) {
  const ScramVerifier made = a_verifier();
  const std::string text = format_scram_verifier(made);
  EXPECT_EQ(text,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  const auto parsed = parse_scram_verifier(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(format_scram_verifier(*parsed), text);
}

TEST(ScramVerifierTest, refuses_what_is_cut_or_altered) {
  const std::string text = format_scram_verifier(a_verifier());
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(parse_scram_verifier(text.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(parse_scram_verifier(text + "=").has_value());
  for (const std::string_view iterations : {"0", "-1", "+5", "4096x", "", "99999999999"}) {
    std::string altered = text;
    altered.replace(text.find("4096"), 4, iterations);
    EXPECT_FALSE(parse_scram_verifier(altered).has_value()) << iterations;
  }
}

TEST(ScramServerTest, plays_the_example_of_rfc_7677) {
  ScramServer server = a_server();
  ASSERT_EQ(server.mechanisms().size(), 1U);
  EXPECT_EQ(server.mechanisms().front(), kScramSha256);
  EXPECT_EQ(*server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)), kRfcServerFirst);
  const auto last = server.handle_final(as_bytes(kRfcClientFinal));
  ASSERT_TRUE(last.has_value() && last->has_value());
  EXPECT_EQ(**last, kRfcServerFinal);
  const ScramKeys expected =
      derive_scram_keys(base::Secret(kRfcPassword), *decode_base64(kRfcSalt), 4096);
  EXPECT_EQ(server.keys().client_key, expected.client_key);
  EXPECT_EQ(server.keys().server_key, expected.server_key);
}

TEST(ScramServerTest, refuses_a_wrong_proof) {
  ScramServer server = a_server();
  ASSERT_TRUE(server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)).has_value());
  std::string message(kRfcClientFinal);
  message[message.find(",p=") + 3] ^= 1;
  const auto last = server.handle_final(as_bytes(message));
  ASSERT_TRUE(last.has_value());
  EXPECT_FALSE(last->has_value());
}

TEST(ScramServerTest, stretches_a_plain_password_when_the_proof_is_there) {
  SaltedPasswordCache cache;
  for (const std::uint64_t derivations : {1U, 1U}) {
    const std::uint64_t before = cache.derivation_count();
    ScramServer server({.secret = PlainScramSecret{.password = base::Secret(kRfcPassword),
                                                   .salt = *decode_base64(kRfcSalt),
                                                   .cache = &cache},
                        .tls_binding = {},
                        .nonce = std::string(kRfcServerNonce)});
    EXPECT_EQ(*server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)), kRfcServerFirst);
    EXPECT_EQ(cache.derivation_count(), before);
    EXPECT_EQ(**server.handle_final(as_bytes(kRfcClientFinal)), kRfcServerFinal);
    EXPECT_EQ(cache.derivation_count(), derivations);
  }
}

TEST(ScramServerTest, a_message_cut_at_any_byte_is_never_accepted) {
  for (std::size_t cut = 0; cut < kRfcClientFirst.size(); ++cut) {
    ScramServer server = a_server();
    const auto reply = server.handle_first(kScramSha256, as_bytes(kRfcClientFirst.substr(0, cut)));
    // A nonce may end anywhere; all before it must be whole.
    EXPECT_EQ(reply.has_value(), cut > kRfcClientFirst.find("r=") + 2) << cut;
  }
  for (std::size_t cut = 0; cut < kRfcClientFinal.size(); ++cut) {
    ScramServer server = a_server();
    ASSERT_TRUE(server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)).has_value());
    EXPECT_FALSE(server.handle_final(as_bytes(kRfcClientFinal.substr(0, cut))).has_value()) << cut;
  }
}

TEST(ScramServerTest, a_message_out_of_turn_is_a_violation) {
  {
    ScramServer server = a_server();
    EXPECT_FALSE(server.handle_final(as_bytes(kRfcClientFinal)).has_value());
  }
  ScramServer server = a_server();
  ASSERT_TRUE(server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)).has_value());
  EXPECT_FALSE(server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)).has_value());
  // The repeated first message ended the exchange.
  EXPECT_FALSE(server.handle_final(as_bytes(kRfcClientFinal)).has_value());
}

struct FirstCase {
  std::string_view what;
  std::string_view mechanism;
  std::string_view message;
  bool has_tls;
  std::optional<ErrorCode> expected;  // nullopt: accepted.
};

TEST(ScramServerTest, tells_the_channel_binding_flags_apart) {
  const std::vector<FirstCase> cases{
      {"n without tls", kScramSha256, "n,,n=,r=abc", false, std::nullopt},
      {"y without tls", kScramSha256, "y,,n=,r=abc", false, std::nullopt},
      {"n with tls", kScramSha256, "n,,n=,r=abc", true, std::nullopt},
      {"downgrade", kScramSha256, "y,,n=,r=abc", true, ErrorCode::AuthenticationFailed},
      {"p", kScramSha256Plus, "p=tls-server-end-point,,n=,r=abc", true, std::nullopt},
      {"plus not offered", kScramSha256Plus, "p=tls-server-end-point,,n=,r=abc", false,
       ErrorCode::ProtocolViolation},
      {"plus with n", kScramSha256Plus, "n,,n=,r=abc", true, ErrorCode::ProtocolViolation},
      {"plus with y", kScramSha256Plus, "y,,n=,r=abc", true, ErrorCode::ProtocolViolation},
      {"p without plus", kScramSha256, "p=tls-server-end-point,,n=,r=abc", true,
       ErrorCode::ProtocolViolation},
      {"other binding", kScramSha256Plus, "p=tls-unique,,n=,r=abc", true, ErrorCode::Unsupported},
      {"unknown mechanism", "SCRAM-SHA-1", "n,,n=,r=abc", false, ErrorCode::ProtocolViolation},
      {"unknown flag", kScramSha256, "x,,n=,r=abc", false, ErrorCode::ProtocolViolation},
      {"authorization identity", kScramSha256, "n,a=root,n=,r=abc", false, ErrorCode::Unsupported},
      {"mandatory extension", kScramSha256, "n,,m=x,n=,r=abc", false, ErrorCode::ProtocolViolation},
      {"extension", kScramSha256, "n,,n=,r=abc,x=1", false, std::nullopt},
      {"no nonce", kScramSha256, "n,,n=,r=", false, ErrorCode::ProtocolViolation},
      {"unprintable nonce", kScramSha256, "n,,n=,r=a\x01", false, ErrorCode::ProtocolViolation},
      {"empty", kScramSha256, "", false, ErrorCode::ProtocolViolation},
      {"header only", kScramSha256, "n,,", false, ErrorCode::ProtocolViolation},
  };
  for (const FirstCase& test : cases) {
    ScramServer server = a_server(test.has_tls ? kBinding : base::ByteBuffer());
    const auto reply = server.handle_first(test.mechanism, as_bytes(test.message));
    ASSERT_EQ(reply.has_value(), !test.expected.has_value()) << test.what;
    if (test.expected.has_value()) {
      EXPECT_EQ(reply.error().code, *test.expected) << test.what;
    }
  }
}

TEST(ScramServerTest, bounds_message_and_nonce) {
  for (const std::size_t size : {kScramNonceBytesMax + 1, kScramMessageBytesMax}) {
    ScramServer server = a_server();
    const std::string message = "n,,n=,r=" + std::string(size, 'x');
    EXPECT_FALSE(server.handle_first(kScramSha256, as_bytes(message)).has_value());
  }
}

TEST(ScramServerTest, another_nonce_or_binding_is_refused) {
  for (const std::string_view altered :
       {"c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=AAAA"}) {
    ScramServer server = a_server();
    ASSERT_TRUE(server.handle_first(kScramSha256, as_bytes(kRfcClientFirst)).has_value());
    EXPECT_FALSE(server.handle_final(as_bytes(altered)).has_value()) << altered;
  }
}

TEST(StableSaltTest, is_the_same_for_a_name_and_differs_between_names_and_processes) {
  const base::Secret one("secret one");
  EXPECT_EQ(make_stable_salt(one, "anna"), make_stable_salt(one, "anna"));
  EXPECT_NE(make_stable_salt(one, "anna"), make_stable_salt(one, "bert"));
  EXPECT_NE(make_stable_salt(one, "anna"), make_stable_salt(base::Secret("two"), "anna"));
  EXPECT_EQ(make_stable_salt(one, "anna").size(), 16U);
}

ScramClientOptions client_options(std::string_view password = kRfcPassword) {
  return {.secret = base::Secret(password),
          .channel_binding = ChannelBinding::Prefer,
          .is_tls = false,
          .tls_binding = {},
          .nonce = "rOprNGfwEbeRWgbNEkqO",
          .cache = nullptr};
}

// Plays a whole exchange; success means that each end accepted the other.
base::Status play(ScramClient& client, ScramServer& server) {
  const auto first = TRY(client.start(server.mechanisms()));
  const auto challenge = TRY(server.handle_first(first.mechanism, as_bytes(first.message)));
  const auto proof = TRY(client.handle_continue(as_bytes(challenge)));
  const auto last = TRY(server.handle_final(as_bytes(proof)));
  if (!last.has_value()) return base::Error{.code = ErrorCode::AuthenticationFailed, .context = {}};
  return client.handle_final(as_bytes(*last));
}

TEST(ScramPairTest, both_ends_accept_each_other) {
  ScramClient client(client_options());
  ScramServer server = a_server();
  EXPECT_TRUE(play(client, server).has_value());
  EXPECT_FALSE(client.is_bound());
}

TEST(ScramPairTest, a_wrong_password_is_refused) {
  ScramClient client(client_options("pen"));
  ScramServer server = a_server();
  EXPECT_FALSE(play(client, server).has_value());
}

TEST(ScramPairTest, passwords_that_look_the_same_are_the_same) {
  const ScramVerifier verifier = a_verifier("IX", 16);
  ScramServer server({.secret = &verifier, .tls_binding = {}, .nonce = "server"});
  ScramClient client(client_options("\xe2\x85\xa8"));
  EXPECT_TRUE(play(client, server).has_value());
}

TEST(ScramPairTest, binds_to_the_tls_connection_where_both_can) {
  ScramClientOptions options = client_options();
  options.is_tls = true;
  options.tls_binding = kBinding;
  ScramClient client(options);
  ScramServer server = a_server(kBinding);
  EXPECT_TRUE(play(client, server).has_value());
  EXPECT_TRUE(client.is_bound());
}

TEST(ScramPairTest, another_certificate_in_between_is_noticed) {
  ScramClientOptions options = client_options();
  options.is_tls = true;
  options.tls_binding = base::ByteBuffer(32, std::byte{1});
  ScramClient client(options);
  ScramServer server = a_server(kBinding);
  const auto result = play(client, server);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::AuthenticationFailed);
}

TEST(ScramPairTest, hiding_plus_from_the_client_is_noticed_by_the_server) {
  ScramClientOptions options = client_options();
  options.is_tls = true;
  options.tls_binding = kBinding;
  ScramClient client(options);
  ScramServer server = a_server(kBinding);
  const auto first = client.start(std::array{kScramSha256});
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->message.starts_with("y,,"));
  const auto reply = server.handle_first(first->mechanism, as_bytes(first->message));
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::AuthenticationFailed);
}

TEST(ScramPairTest, proven_keys_log_in_without_the_password) {
  ScramClient user(client_options());
  ScramServer pooler = a_server();
  ASSERT_TRUE(play(user, pooler).has_value());
  ScramClientOptions options = client_options();
  options.secret = pooler.keys();
  ScramClient onward(options);
  ScramServer postgres = a_server();
  EXPECT_TRUE(play(onward, postgres).has_value());
}

TEST(ScramClientTest, chooses_by_policy_and_offer) {
  struct Case {
    ChannelBinding policy;
    bool is_tls;
    bool has_binding;
    std::vector<std::string_view> offered;
    std::string_view expected;  // The header, or "" for an error.
  };
  const std::vector<std::string_view> both{kScramSha256Plus, kScramSha256};
  const std::vector<std::string_view> plain{kScramSha256};
  const std::vector<std::string_view> plus{kScramSha256Plus};
  using enum ChannelBinding;
  const std::string_view bound = "p=tls-server-end-point,,";
  const std::vector<Case> cases{
      {Prefer, true, true, both, bound},  {Prefer, true, true, plain, "y,,"},
      {Prefer, true, false, both, "n,,"}, {Prefer, false, false, plain, "n,,"},
      {Prefer, false, false, both, ""},  // PLUS without TLS is a forgery.
      {Disable, true, true, both, "n,,"}, {Disable, true, true, plus, ""},
      {Require, true, true, both, bound}, {Require, true, true, plain, ""},
      {Require, true, false, both, ""},   {Require, false, false, plain, ""},
      {Prefer, true, true, plus, bound},  {Prefer, true, true, {"SCRAM-SHA-1"}, ""},
      {Prefer, true, true, {}, ""},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ScramClientOptions options = client_options();
    options.channel_binding = cases[i].policy;
    options.is_tls = cases[i].is_tls;
    if (cases[i].has_binding) options.tls_binding = kBinding;
    ScramClient client(options);
    const auto first = client.start(cases[i].offered);
    ASSERT_EQ(first.has_value(), !cases[i].expected.empty()) << i;
    if (!first.has_value()) continue;
    EXPECT_EQ(first->message, std::string(cases[i].expected) + "n=,r=rOprNGfwEbeRWgbNEkqO") << i;
  }
}

ScramClient a_started_client() {
  ScramClient client(client_options());
  EXPECT_TRUE(client.start(std::array{kScramSha256}).has_value());
  return client;
}

TEST(ScramClientTest, a_hostile_challenge_is_refused) {
  const std::string nonce = "r=rOprNGfwEbeRWgbNEkqO";
  const std::string long_salt = encode_base64(base::ByteBuffer(kScramSaltBytesMax + 1));
  for (const std::string& message : std::initializer_list<std::string>{
           "", "r=",
           nonce + ",s=QUJD,i=4096",  // Adds nothing of its own.
           "r=other,s=QUJD,i=4096", "r=" + std::string(2000, 'x') + ",s=QUJD,i=1",
           nonce + "X,s=,i=4096", nonce + "X,s=QUJ,i=4096", nonce + "X,s=" + long_salt + ",i=4096",
           nonce + "X,s=QUJD,i=0", nonce + "X,s=QUJD,i=-1", nonce + "X,s=QUJD,i=1000001",
           nonce + "X,s=QUJD,i=99999999999999999999", nonce + "X,s=QUJD,i=4096x",
           nonce + "X,s=QUJD,i=", nonce + "X,s=QUJD", nonce + "X,i=4096,s=QUJD",
           "m=x," + nonce + "X,s=QUJD,i=4096", nonce + "X,s=QUJD,i=16,=", "e=other-error"}) {
    ScramClient client = a_started_client();
    const auto reply = client.handle_continue(as_bytes(message));
    ASSERT_FALSE(reply.has_value()) << message;
    EXPECT_EQ(reply.error().code, ErrorCode::ProtocolViolation) << message;
    EXPECT_EQ(reply.error().side, base::Side::Server) << message;
  }
}

TEST(ScramClientTest, a_challenge_cut_at_any_byte_is_refused_or_differs) {
  const std::string whole = "r=rOprNGfwEbeRWgbNEkqOX,s=QUJD,i=16";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    ScramClient client = a_started_client();
    const auto reply = client.handle_continue(as_bytes(whole.substr(0, cut)));
    EXPECT_EQ(reply.has_value(), cut == whole.size() - 1) << cut;  // "i=1" is a number too.
  }
}

TEST(ScramClientTest, believes_only_the_right_signature) {
  const std::vector<std::string_view> wrong{"",
                                            "v=",
                                            "v=AAAA",
                                            "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                            "e=invalid-proof",
                                            "v=not base64",
                                            "x=1"};
  for (const std::string_view message : wrong) {
    ScramClient client = a_started_client();
    ASSERT_TRUE(
        client.handle_continue(as_bytes("r=rOprNGfwEbeRWgbNEkqOX,s=QUJD,i=16")).has_value());
    EXPECT_FALSE(client.handle_final(as_bytes(message)).has_value()) << message;
  }
}

TEST(ScramClientTest, a_message_out_of_turn_is_a_violation) {
  {
    ScramClient client(client_options());
    EXPECT_FALSE(client.handle_continue(as_bytes("r=x")).has_value());
  }
  ScramClient client = a_started_client();
  EXPECT_FALSE(client.handle_final(as_bytes("v=AAAA")).has_value());
}

TEST(SaltedPasswordCacheTest, derives_once_for_the_same_three_things) {
  SaltedPasswordCache cache(8);
  const base::ByteBuffer salt(16, std::byte{1});
  const ScramKeys first = cache.derive(base::Secret("a"), salt, 16);
  EXPECT_EQ(first.client_key, derive_scram_keys(base::Secret("a"), salt, 16).client_key);
  EXPECT_EQ(cache.derive(base::Secret("a"), salt, 16).client_key, first.client_key);
  EXPECT_EQ(cache.entry_count(), 1U);
  EXPECT_NE(cache.derive(base::Secret("b"), salt, 16).client_key, first.client_key);
  EXPECT_NE(cache.derive(base::Secret("a"), salt, 17).client_key, first.client_key);
  EXPECT_NE(cache.derive(base::Secret("a"), base::ByteBuffer(16), 16).client_key, first.client_key);
  EXPECT_EQ(cache.entry_count(), 4U);
}

TEST(SaltedPasswordCacheTest, the_entry_used_longest_ago_goes) {
  SaltedPasswordCache cache(2);
  const base::ByteBuffer salt(16, std::byte{1});
  cache.derive(base::Secret("a"), salt, 1);
  cache.derive(base::Secret("b"), salt, 1);
  cache.derive(base::Secret("a"), salt, 1);
  cache.derive(base::Secret("c"), salt, 1);
  EXPECT_EQ(cache.entry_count(), 2U);
  EXPECT_EQ(cache.derivation_count(), 3U);
  cache.derive(base::Secret("a"), salt, 1);
  cache.derive(base::Secret("c"), salt, 1);
  EXPECT_EQ(cache.derivation_count(), 3U);
  cache.derive(base::Secret("b"), salt, 1);
  EXPECT_EQ(cache.derivation_count(), 4U);
}

TEST(SaltedPasswordCacheTest, only_who_proves_right_is_spared_a_derivation) {
  SaltedPasswordCache cache;
  const base::ByteBuffer salt(16, std::byte{1});
  const auto prove = [&](bool is_right) {
    const std::uint64_t before = cache.derivation_count();
    const auto keys =
        cache.prove(base::Secret("a"), salt, 1, [&](const ScramKeys&) { return is_right; });
    EXPECT_EQ(keys.has_value(), is_right);
    return cache.derivation_count() - before;
  };
  EXPECT_EQ(prove(false), 1U);
  EXPECT_EQ(cache.entry_count(), 0U);
  EXPECT_EQ(prove(true), 1U);
  EXPECT_EQ(prove(true), 0U);
  // Nor does it tell that the right one has been here.
  EXPECT_EQ(prove(false), 1U);
}

}  // namespace
}  // namespace pgweir::auth

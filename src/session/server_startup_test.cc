#include "session/server_startup.h"

#include <gtest/gtest.h>

#include <string_view>

#include "wire/authentication.h"
#include "wire/reply.h"
#include "wire/report.h"

namespace pgweir::session {
namespace {

using Step = ServerStartup::Step;
using Tls = ServerStartup::Tls;

ServerStartup::Plan plan(Tls tls) {
  ServerStartup::Plan made;
  made.tls = tls;
  made.parameters = {{"user", "ann"}, {"database", "shop"}};
  made.auth.user = "ann";
  made.auth.nonce.assign(auth::kServerNonceBytesMin, std::byte{5});
  return made;
}

// What a server without passwords says at login.
base::ByteBuffer welcome() {
  base::ByteBuffer out;
  wire::encode_authentication_ok(out);
  wire::encode_parameter_status(out, "server_version", "15.4");
  wire::encode_parameter_status(out, "DateStyle", "ISO, MDY");
  wire::encode_backend_key_data(out, {.pid = 42, .secret = base::ByteBuffer(4, std::byte{1})});
  wire::encode_ready_for_query(out, 'I');
  return out;
}

base::Result<Step> feed(ServerStartup& machine, base::Bytes bytes, base::ByteBuffer& out) {
  return machine.handle_bytes(bytes, out);
}

TEST(ServerStartupTest, logs_in_without_tls) {
  ServerStartup machine(plan(Tls::Never));
  base::ByteBuffer out;
  EXPECT_EQ(machine.handle_opened(out), Step::NeedsMore);
  EXPECT_FALSE(out.empty());
  const auto step = feed(machine, welcome(), out);
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(*step, Step::Ready);
  EXPECT_EQ(machine.reported().size(), 2U);
  EXPECT_EQ(machine.cancel_key().pid, 42U);
  EXPECT_FALSE(machine.is_secured());
}

TEST(ServerStartupTest, answers_only_to_what_it_may_be_asked) {
  ServerStartup::Plan careful = plan(Tls::Never);
  careful.methods = {.has_cleartext = false, .has_md5 = false, .has_none = false};
  careful.auth.credential = base::Secret("secret");
  careful.auth.allow_cleartext = true;
  base::ByteBuffer cleartext;
  wire::encode_cleartext_password_request(cleartext);
  base::ByteBuffer md5;
  wire::encode_md5_password_request(md5, {});
  for (const base::ByteBuffer& request : {cleartext, md5, welcome()}) {
    ServerStartup machine(careful);
    base::ByteBuffer out;
    machine.handle_opened(out);
    out.clear();
    const auto step = feed(machine, request, out);
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code, base::ErrorCode::AuthenticationFailed);
    EXPECT_TRUE(out.empty()) << "it learns nothing";
  }
}

TEST(ServerStartupTest, takes_the_welcome_in_any_pieces) {
  const base::ByteBuffer whole = welcome();
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    ServerStartup machine(plan(Tls::Never));
    base::ByteBuffer out;
    machine.handle_opened(out);
    base::ByteBuffer pending(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    base::Bytes input = pending;
    ASSERT_EQ(*machine.handle_bytes(input, out), Step::NeedsMore) << cut;
    pending.erase(pending.begin(), pending.end() - static_cast<std::ptrdiff_t>(input.size()));
    pending.insert(pending.end(), whole.begin() + static_cast<std::ptrdiff_t>(cut), whole.end());
    input = pending;
    ASSERT_EQ(*machine.handle_bytes(input, out), Step::Ready) << cut;
  }
}

TEST(ServerStartupTest, asks_for_tls_first_and_starts_it_when_granted) {
  ServerStartup machine(plan(Tls::Require));
  base::ByteBuffer out;
  machine.handle_opened(out);
  EXPECT_EQ(out.size(), 8U);
  out.clear();
  EXPECT_EQ(*feed(machine, base::as_bytes("S"), out), Step::StartTls);
  EXPECT_TRUE(out.empty());
  machine.handle_secured({}, out);
  EXPECT_FALSE(out.empty());
  EXPECT_TRUE(machine.is_secured());
  EXPECT_EQ(*feed(machine, welcome(), out), Step::Ready);
}

TEST(ServerStartupTest, a_server_without_tls_will_do_only_if_it_is_not_required) {
  ServerStartup strict(plan(Tls::Require));
  base::ByteBuffer out;
  strict.handle_opened(out);
  const auto refused = feed(strict, base::as_bytes("N"), out);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::ErrorCode::TlsFailed);

  ServerStartup lenient(plan(Tls::Prefer));
  lenient.handle_opened(out);
  out.clear();
  EXPECT_EQ(*feed(lenient, base::as_bytes("N"), out), Step::NeedsMore);
  EXPECT_FALSE(out.empty());
}

// CVE-2021-3935, the server's leg.
TEST(ServerStartupTest, plaintext_behind_the_grant_is_refused) {
  ServerStartup machine(plan(Tls::Require));
  base::ByteBuffer out;
  machine.handle_opened(out);
  EXPECT_FALSE(feed(machine, base::as_bytes("SR"), out).has_value());
}

TEST(ServerStartupTest, direct_tls_begins_with_the_handshake) {
  ServerStartup machine(plan(Tls::Direct));
  base::ByteBuffer out;
  EXPECT_EQ(machine.handle_opened(out), Step::StartTls);
  EXPECT_TRUE(out.empty());
}

TEST(ServerStartupTest, a_refusal_keeps_the_servers_words) {
  ServerStartup machine(plan(Tls::Never));
  base::ByteBuffer out;
  machine.handle_opened(out);
  base::ByteBuffer refusal;
  wire::encode_error(refusal, {.severity = "FATAL",
                               .sqlstate = "53300",
                               .message = "sorry, too many clients already",
                               .detail = {},
                               .hint = {}});
  EXPECT_EQ(*feed(machine, refusal, out), Step::Refused);
  EXPECT_EQ(machine.refusal().sqlstate, "53300");
  EXPECT_EQ(machine.refusal().message, "sorry, too many clients already");
}

TEST(ServerStartupTest, a_notice_during_login_is_passed_over) {
  ServerStartup machine(plan(Tls::Never));
  base::ByteBuffer out;
  machine.handle_opened(out);
  base::ByteBuffer bytes;
  wire::encode_notice(
      bytes,
      {.severity = "NOTICE", .sqlstate = "00000", .message = "hello", .detail = {}, .hint = {}});
  base::append(bytes, welcome());
  EXPECT_EQ(*feed(machine, bytes, out), Step::Ready);
}

// Every message type in every state: what is not due is a violation, never a crash.
TEST(ServerStartupTest, what_is_not_due_is_a_violation) {
  for (int type = 1; type < 256; ++type) {
    for (const bool is_authenticated : {false, true}) {
      ServerStartup machine(plan(Tls::Never));
      base::ByteBuffer out;
      machine.handle_opened(out);
      base::ByteBuffer bytes;
      if (is_authenticated) wire::encode_authentication_ok(bytes);
      bytes.push_back(std::byte(type));
      base::ByteWriter(bytes).u32(4);
      const auto step = feed(machine, bytes, out);
      // An empty body fits none of the messages that are looked into; a notice is not.
      EXPECT_EQ(step.has_value(), type == 'N') << type << is_authenticated;
    }
  }
}

}  // namespace
}  // namespace pgweir::session

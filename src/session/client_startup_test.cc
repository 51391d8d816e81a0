#include "session/client_startup.h"

#include <gtest/gtest.h>

#include "wire/frame.h"
#include "wire/startup.h"

namespace pgweir::session {
namespace {

using Step = ClientStartup::Step;

base::ByteBuffer ssl_request() {
  base::ByteBuffer out;
  wire::encode_ssl_request(out);
  return out;
}
base::ByteBuffer gss_request() {
  base::ByteBuffer out;
  base::ByteWriter writer(out);
  writer.u32(8);
  writer.u32(wire::kGssEncRequest);
  return out;
}
base::ByteBuffer startup(std::uint32_t protocol = wire::kProtocol30,
                         const wire::Parameters& parameters = {{"user", "ann"}}) {
  base::ByteBuffer out;
  wire::encode_startup(out, protocol, parameters);
  return out;
}

class ClientStartupTest : public testing::Test {
 protected:
  base::Result<Step> feed(const base::ByteBuffer& bytes) {
    base::Bytes input = bytes;
    auto step = machine.handle_bytes(input, answer);
    rest = input.size();
    return step;
  }
  ClientStartup machine{true, false};
  base::ByteBuffer answer;
  std::size_t rest = 0;
};

TEST_F(ClientStartupTest, a_plain_startup_needs_no_answer) {
  const auto step = feed(startup());
  ASSERT_TRUE(step.has_value());
  const auto* message = std::get_if<wire::StartupMessage>(&*step);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->find("user"), "ann");
  EXPECT_TRUE(answer.empty());
}

TEST_F(ClientStartupTest, every_packet_may_come_byte_by_byte) {
  const base::ByteBuffer whole = startup();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto step = feed({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)});
    ASSERT_TRUE(step.has_value()) << cut;
    EXPECT_TRUE(std::holds_alternative<ClientStartup::NeedsMore>(*step)) << cut;
    EXPECT_EQ(rest, cut);
  }
}

TEST_F(ClientStartupTest, tls_is_granted_once) {
  const auto step = feed(ssl_request());
  ASSERT_TRUE(step.has_value());
  EXPECT_TRUE(std::holds_alternative<ClientStartup::StartTls>(*step));
  EXPECT_EQ(base::as_text(answer), "S");
  machine.handle_secured();
  EXPECT_FALSE(feed(ssl_request()).has_value());
}

TEST_F(ClientStartupTest, without_a_certificate_the_answer_is_no_and_plain_text_goes_on) {
  machine = ClientStartup(false, false);
  ASSERT_TRUE(feed(ssl_request()).has_value());
  EXPECT_EQ(base::as_text(answer), "N");
  EXPECT_TRUE(std::holds_alternative<wire::StartupMessage>(*feed(startup())));
}

// CVE-2021-3935: what an attacker put in front of the handshake must not count as encrypted.
TEST_F(ClientStartupTest, plaintext_behind_a_granted_request_is_refused) {
  base::ByteBuffer both = ssl_request();
  base::append(both, startup());
  EXPECT_FALSE(feed(both).has_value());
}

TEST_F(ClientStartupTest, gss_is_declined_and_tls_may_follow) {
  ASSERT_TRUE(feed(gss_request()).has_value());
  EXPECT_EQ(base::as_text(answer), "N");
  EXPECT_FALSE(feed(gss_request()).has_value());
  EXPECT_TRUE(std::holds_alternative<ClientStartup::StartTls>(*feed(ssl_request())));
}

TEST_F(ClientStartupTest, a_cancel_request_leads_on) {
  base::ByteBuffer bytes;
  const wire::CancelKey key{.pid = 7, .secret = base::ByteBuffer(4, std::byte{9})};
  wire::encode_cancel_request(bytes, key);
  const auto step = feed(bytes);
  ASSERT_TRUE(step.has_value());
  ASSERT_NE(std::get_if<wire::CancelKey>(&*step), nullptr);
  EXPECT_EQ(*std::get_if<wire::CancelKey>(&*step), key);
}

TEST_F(ClientStartupTest, a_newer_protocol_and_unknown_options_get_one_negotiation) {
  const auto step =
      feed(startup(wire::kProtocol32, {{"user", "ann"}, {"_pq_.x", "1"}, {"_pq_.y", "2"}}));
  ASSERT_TRUE(step.has_value());
  base::Bytes input = answer;
  const auto frame = wire::take_frame(input, 1000, base::Side::Server);
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->type, 'v');
  EXPECT_TRUE(input.empty());
  const auto offer = wire::parse_negotiate_protocol_version((*frame)->body);
  ASSERT_TRUE(offer.has_value());
  EXPECT_EQ(offer->protocol, wire::kProtocol30);
  EXPECT_EQ(offer->unknown_names.size(), 2U);
}

TEST_F(ClientStartupTest, protocol_2_is_not_spoken) {
  const auto step = feed(startup(2U << 16U));
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().code, base::ErrorCode::Unsupported);
}

}  // namespace
}  // namespace pgweir::session

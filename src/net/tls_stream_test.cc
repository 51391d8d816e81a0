// TlsStream by itself: what it keeps of bytes that come in pieces.
#include "net/tls_stream.h"

#include <gtest/gtest.h>

#include <array>

#include "net/testing.h"

namespace pgweir::net {
namespace {

using base::as_bytes;
using base::as_text;
using Outcome = TlsStream::Outcome;

// Both ends of one session, and what either has said and the other not heard.
struct Ends {
  // does_settle: the server gives back what only the handshake needed.
  explicit Ends(bool does_settle = false) : settles(does_settle) {
    const testing::Identity& identity = testing::Identity::get();
    server = identity.for_clients->make_stream({});
    client = identity.for_servers->make_stream(identity.connect());
  }
  // One flight of the handshake in two pieces.
  static Outcome hear(TlsStream& stream, base::ByteBuffer& said, std::size_t cut,
                      base::ByteBuffer& answer) {
    const base::ByteBuffer whole = std::exchange(said, {});
    const base::Bytes bytes(whole);
    const std::size_t at = std::min(cut, whole.size());
    const Outcome first = stream.handshake(bytes.first(at), answer);
    return first == Outcome::Ongoing ? stream.handshake(bytes.subspan(at), answer) : first;
  }
  // Up to the client's last flight, which the server has not heard.
  void shake_hands() {
    base::ByteBuffer from_server;
    EXPECT_EQ(client->handshake({}, from_client), Outcome::Ongoing);
    EXPECT_EQ(hear(*server, from_client, 0, from_server), Outcome::Ongoing);
    EXPECT_EQ(hear(*client, from_server, 0, from_client), Outcome::Done);
  }

  // What the server makes of these bytes: the end of its handshake, then plain text and the end.
  std::string serve(base::Bytes bytes) {
    base::ByteBuffer out;
    std::string plain;
    if (!is_secured) {
      is_secured = server->handshake(bytes, out) == Outcome::Done;
      if (is_secured && settles) server->settle();
      bytes = {};
    }
    std::array<std::byte, 3> room;
    TlsStream::Opened opened{.bytes = 1};
    while (is_secured && opened.bytes > 0) {
      opened = server->decrypt(std::exchange(bytes, {}), room, out);
      EXPECT_FALSE(opened.has_failed);
      plain += as_text(base::Bytes(room).first(opened.bytes));
    }
    return opened.has_ended ? plain + " and goodbye" : plain;
  }

  std::unique_ptr<TlsStream> server;
  std::unique_ptr<TlsStream> client;
  base::ByteBuffer from_client;
  bool is_secured = false;  // For the server.
  const bool settles;
};

TEST(TlsStreamTest, a_handshake_cut_at_every_byte_succeeds) {
  Ends model;
  base::ByteBuffer hello;
  EXPECT_EQ(model.client->handshake({}, hello), Outcome::Ongoing);
  for (std::size_t cut = 1; cut < hello.size(); ++cut) {
    Ends ends;
    base::ByteBuffer from_server;
    ASSERT_EQ(ends.client->handshake({}, ends.from_client), Outcome::Ongoing);
    ASSERT_EQ(Ends::hear(*ends.server, ends.from_client, cut, from_server), Outcome::Ongoing);
    ASSERT_EQ(Ends::hear(*ends.client, from_server, cut, ends.from_client), Outcome::Done) << cut;
    ASSERT_EQ(Ends::hear(*ends.server, ends.from_client, cut, from_server), Outcome::Done) << cut;
  }
}

// The end of the handshake, a query, and the goodbye behind it.
class TlsStreamCutTest : public ::testing::TestWithParam<bool> {};

TEST_P(TlsStreamCutTest, what_follows_a_handshake_cut_at_every_byte_is_the_same) {
  for (std::size_t cut = 1, bytes = 2; cut < bytes; ++cut) {
    Ends ends(GetParam());
    ends.shake_hands();
    ends.client->encrypt(as_bytes("select "), as_bytes("1"), ends.from_client);
    ends.client->say_goodbye(ends.from_client);
    bytes = ends.from_client.size();
    const base::Bytes all(ends.from_client);
    const std::string first = ends.serve(all.first(cut));
    EXPECT_EQ(first + ends.serve(all.subspan(cut)), "select 1 and goodbye") << cut;
  }
}

TEST_P(TlsStreamCutTest, no_record_is_longer_than_libpq_reads_at_once) {
  Ends ends(GetParam());
  ends.shake_hands();
  ends.serve(ends.from_client);
  base::ByteBuffer sent;
  const std::string head(9'000, 'h');
  const std::string tail(40'000, 't');
  ends.server->encrypt(as_bytes(head), as_bytes(tail), sent);
  constexpr std::size_t kProtectionBytes = 5 + 1 + 16;  // Header, type, tag: RFC 8446, 5.2.
  for (base::Bytes rest(sent); !rest.empty();) {
    const std::size_t bytes = 5U + base::load_u16(rest.data() + 3);
    EXPECT_LE(bytes, 8'192 + kProtectionBytes);
    rest = rest.subspan(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(TlsStreamTest, TlsStreamCutTest, ::testing::Values(false, true),
                         [](const auto& settles) { return settles.param ? "settled" : "openssl"; });

}  // namespace
}  // namespace pgweir::net

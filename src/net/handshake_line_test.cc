#include "net/handshake_line.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "net/testing.h"

namespace pgweir::net {
namespace {

using base::ConnectionId;
using testing::connect_peer;
using testing::Identity;
using testing::listen_on_loopback;
using testing::Node;
using testing::Note;
using testing::turn_until;

constexpr base::Instant kStart{std::chrono::hours(1)};
constexpr base::Duration kPatience = std::chrono::milliseconds(250);
constexpr ConnectionId kAnn{11}, kBob{12}, kCid{13}, kDan{14};

TEST(HandshakeLineTest, whoever_came_first_is_next) {
  HandshakeLine line({.count_max = 2});
  EXPECT_TRUE(line.enter(kAnn, kStart));
  EXPECT_TRUE(line.enter(kBob, kStart));
  EXPECT_FALSE(line.enter(kCid, kStart));
  EXPECT_FALSE(line.enter(kDan, kStart));
  EXPECT_EQ(line.next(kStart), ConnectionId::None);
  line.leave(kBob);
  EXPECT_FALSE(line.enter(kBob, kStart)) << "others were first";
  EXPECT_EQ(line.next(kStart), kCid);
  EXPECT_EQ(line.next(kStart), ConnectionId::None);
  line.leave(kAnn);
  line.leave(kAnn);
  EXPECT_EQ(line.next(kStart), kDan);
  EXPECT_EQ(line.next(kStart), ConnectionId::None);
}

TEST(HandshakeLineTest, whoever_takes_too_long_is_not_counted_any_more) {
  HandshakeLine line({.count_max = 1, .counted_max = kPatience});
  EXPECT_TRUE(line.enter(kAnn, kStart));
  EXPECT_FALSE(line.enter(kBob, kStart));
  EXPECT_EQ(line.next(kStart + kPatience / 2), ConnectionId::None);
  EXPECT_EQ(line.next(kStart + kPatience), kBob);
  line.leave(kAnn);
  EXPECT_FALSE(line.enter(kCid, kStart + kPatience)) << "Bob is counted";
}

TEST(HandshakeLineTest, tells_when_to_look_again) {
  HandshakeLine line({.count_max = 1, .counted_max = kPatience});
  line.enter(kAnn, kStart);
  EXPECT_EQ(line.deadline(), base::kNever) << "nobody waits";
  line.enter(kBob, kStart);
  EXPECT_EQ(line.deadline(), kStart + kPatience);
  line.leave(kAnn);
  EXPECT_LE(line.deadline(), kStart) << "there is room";
}

ReactorOptions one_at_a_time(base::Duration counted_max) {
  ReactorOptions options;
  options.handshakes = {.count_max = 1, .counted_max = counted_max};
  return options;
}

// A server at which clients start TLS without having asked, and one peer that has said hello there
// and then nothing, in both ways to start.
struct Waiting : public ::testing::TestWithParam<bool> {
  static constexpr base::Duration kForever = std::chrono::hours(1);

  void begin(base::Duration counted_max) {
    server = std::make_unique<Node>(one_at_a_time(counted_max));
    server->reactor.set_tls(Identity::get().for_clients);
    endpoint = listen_on_loopback(*server);
    mute = connect_peer(endpoint);
    ASSERT_TRUE(until([&] { return server->told.accepted.size() == 1; }));
    base::ByteBuffer hello;
    Identity::get().for_servers->make_stream(request())->handshake({}, hello);
    say(mute, hello);
  }
  base::TlsRequest request() const {
    base::TlsRequest made = Identity::get().connect();
    made.is_direct = GetParam();
    return made;
  }
  void start_tls_if_asked() {
    if (!GetParam()) server->reactor.start_tls(server->told.accepted.back(), {});
  }
  void say(const Descriptor& peer, base::Bytes bytes) {
    start_tls_if_asked();
    send_both(peer.get(), bytes, {});
    turn_some();
  }
  ConnectionId come() {
    const std::size_t count = server->told.accepted.size();
    const ConnectionId id = client.reactor.open(endpoint);
    EXPECT_TRUE(until(
        [&] { return !client.told.opened.empty() && server->told.accepted.size() == count + 1; }));
    client.reactor.start_tls(id, request());
    start_tls_if_asked();
    turn_some();
    return id;
  }
  bool until(const std::function<bool()>& done) {
    return turn_until({&client.reactor, &server->reactor}, done);
  }
  void turn_some() {
    EXPECT_TRUE(until([turns = 0]() mutable { return ++turns > 5; }));
  }
  bool is_secured(ConnectionId id) const { return client.told.secured.contains(id); }

  Node client;
  std::unique_ptr<Node> server;
  base::Endpoint endpoint;
  Descriptor mute;
};

TEST_P(Waiting, one_more_waits_until_another_has_gone) {
  begin(kForever);
  const ConnectionId patient = come();
  EXPECT_FALSE(is_secured(patient));
  mute.reset();
  EXPECT_TRUE(until([&] { return is_secured(patient); }));
  EXPECT_TRUE(until([&] { return server->told.secured.size() == 1; }));
}

TEST_P(Waiting, whoever_says_hello_and_no_more_keeps_nobody_out) {
  begin(std::chrono::milliseconds(20));
  const ConnectionId patient = come();
  EXPECT_TRUE(until([&] { return is_secured(patient); }));
}

TEST_P(Waiting, whoever_leaves_the_line_is_passed_over) {
  begin(kForever);
  const ConnectionId impatient = come();
  const ConnectionId refused = come();
  const ConnectionId patient = come();
  const ConnectionId refused_there = server->told.accepted[2];
  client.reactor.close(impatient);
  server->reactor.close(refused_there);
  ASSERT_TRUE(until([&] { return server->told.ended.contains(server->told.accepted[1]); }));
  ASSERT_TRUE(until([&] { return client.told.ended.contains(refused); }));
  mute.reset();
  EXPECT_TRUE(until([&] { return is_secured(patient); }));
}

TEST_P(Waiting, a_handshake_that_is_closed_or_fails_makes_room) {
  begin(kForever);
  const ConnectionId patient = come();
  server->reactor.close(server->told.accepted.front());
  ASSERT_TRUE(until([&] { return is_secured(patient); }));
  const Descriptor fool = connect_peer(endpoint);
  ASSERT_TRUE(until([&] { return server->told.accepted.size() == 3; }));
  say(fool, base::as_bytes(std::string_view("\x16\x03\x01\x00\x05xxxxx", 10)));
  const ConnectionId late = come();
  EXPECT_TRUE(until([&] { return is_secured(late); }));
}

TEST_P(Waiting, a_crowd_gets_in_one_by_one) {
  begin(std::chrono::milliseconds(1));
  std::vector<ConnectionId> crowd;
  for (int i = 0; i < 20; ++i) crowd.push_back(come());
  EXPECT_TRUE(until([&] { return server->told.secured.size() == crowd.size(); }));
}

// Whoever does not begin with TLS is served although somebody waits.
TEST_P(Waiting, in_the_clear_nobody_waits) {
  begin(kForever);
  come();
  const Descriptor plain = connect_peer(endpoint);
  ASSERT_TRUE(until([&] { return server->told.accepted.size() == 3; }));
  send_both(plain.get(), base::as_bytes(std::string_view("query")), {});
  EXPECT_TRUE(until([&] { return server->told.bytes[server->told.accepted.back()] == "query"; }));
}

// 64 of them take up to 64 ms, and what was posted before may be somebody's login.
TEST_P(Waiting, letters_do_not_wait_for_handshakes) {
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  begin(kForever);
  server->reactor.attach(switchboard);
  const Descriptor fool = connect_peer(endpoint);
  ASSERT_TRUE(until([&] { return server->told.accepted.size() == 2; }));
  const ConnectionId fool_there = server->told.accepted.back();
  say(fool, base::as_bytes(std::string_view("\x16\x03\x01\x00\x05xxxxx", 10)));
  const Descriptor plain = connect_peer(endpoint);
  ASSERT_TRUE(until([&] { return server->told.accepted.size() == 3; }));
  server->told.on_bytes = [&](ConnectionId id) {
    server->reactor.hand_over(id, base::Mailbox::relay(0), std::make_unique<Note>("client"));
  };
  bool is_told = false;
  server->told.on_closed = [&](ConnectionId id) {
    eventfd_t rings = 0;
    is_told |= id == fool_there && ::eventfd_read(relay.reactor.inbox().alarm(), &rings) == 0;
  };
  ASSERT_TRUE(relay.reactor.inbox().announce_sleep());
  send_both(plain.get(), base::as_bytes(std::string_view("query")), {});
  mute.reset();  // The fool's turn comes in the same turn of the loop as the query.
  ASSERT_TRUE(until([&] { return server->told.ended.contains(fool_there); }));
  EXPECT_TRUE(is_told);
}

INSTANTIATE_TEST_SUITE_P(HandshakeLineTest, Waiting, ::testing::Values(false, true),
                         [](const auto& asked) { return asked.param ? "direct" : "asked"; });

}  // namespace
}  // namespace pgweir::net

#include "net/reactor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "net/testing.h"

namespace pgweir::net {
namespace {

using base::as_bytes;
using base::CloseCause;
using base::ConnectionId;
using testing::connect_peer;
using testing::listen_on_loopback;
using testing::Node;
using testing::Note;
using testing::turn_until;

// A reactor that listens and opens one connection to itself.
struct Loop {
  explicit Loop(const ReactorOptions& options = {}) : node(options) {
    endpoint = listen_on_loopback(node);
    here = node.reactor.open(endpoint);
    EXPECT_TRUE(until([&] { return !told().opened.empty() && !told().accepted.empty(); }));
    there = told().accepted.front();
  }
  bool until(const std::function<bool()>& done) { return turn_until({&node.reactor}, done); }
  testing::Recorder& told() { return node.told; }
  Reactor& io() { return node.reactor; }

  Node node;
  base::Endpoint endpoint;
  ConnectionId here{};
  ConnectionId there{};
};

TEST(ReactorTest, carries_bytes_both_ways_in_order) {
  Loop loop;
  EXPECT_EQ(loop.io().try_send(loop.here, as_bytes("head "), as_bytes("tail")), 9U);
  EXPECT_EQ(loop.io().try_send(loop.there, as_bytes("answer")), 6U);
  EXPECT_TRUE(loop.until([&] {
    return loop.told().bytes[loop.there] == "head tail" && loop.told().bytes[loop.here] == "answer";
  }));
  EXPECT_THAT(loop.told().peers.front().text, ::testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+"));
}

TEST(ReactorTest, tells_an_orderly_end_after_all_bytes) {
  Loop loop;
  loop.io().try_send(loop.here, as_bytes("last words"));
  loop.io().close(loop.here);
  ASSERT_TRUE(loop.until([&] { return loop.told().ended.contains(loop.there); }));
  EXPECT_EQ(loop.told().ended.at(loop.there).cause, CloseCause::Eof);
  EXPECT_EQ(loop.told().bytes[loop.there], "last words");
  EXPECT_FALSE(loop.told().ended.contains(loop.here)) << "a close of our own is not told";
}

// A blocking socket's peer on the reactor, for what two reactors would hide.
struct Foreign {
  Foreign() {
    endpoint = listen_on_loopback(node);
    peer = connect_peer(endpoint);
    EXPECT_TRUE(until([&] { return !node.told.accepted.empty(); }));
    id = node.told.accepted.front();
  }
  bool until(const std::function<bool()>& done) { return turn_until({&node.reactor}, done); }
  void say(std::string_view text) { send_both(peer.get(), as_bytes(text), {}); }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    peer.reset();
  }
  // Turns the loop until everything that has happened so far has been told.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      node.reactor.inbox().wake();
      node.reactor.turn();
    }
  }
  std::string& heard() { return node.told.bytes[id]; }
  bool has_ended() { return node.told.ended.contains(id); }
  CloseCause cause() { return node.told.ended.at(id).cause; }

  Node node;
  base::Endpoint endpoint;
  Descriptor peer;
  ConnectionId id{};
};

TEST(ReactorTest, an_empty_offer_asks_whether_the_peer_is_silent) {
  Foreign foreign;
  EXPECT_EQ(foreign.node.reactor.try_send(foreign.id, {}), 1U);
  foreign.say("words that are not read yet");
  EXPECT_EQ(foreign.node.reactor.try_send(foreign.id, {}), 0U);
  ASSERT_TRUE(foreign.until([&] { return !foreign.heard().empty(); }));
  EXPECT_EQ(foreign.node.reactor.try_send(foreign.id, {}), 1U);
  foreign.peer.reset();
  EXPECT_EQ(foreign.node.reactor.try_send(foreign.id, {}), 0U);
  EXPECT_FALSE(foreign.has_ended()) << "the end is told in its turn";
}

TEST(ReactorTest, who_has_ended_still_gets_the_last_words_and_an_orderly_end) {
  Foreign foreign;
  foreign.say("goodbye");
  ASSERT_EQ(::shutdown(foreign.peer.get(), SHUT_WR), 0);
  ASSERT_TRUE(foreign.until([&] { return !foreign.heard().empty(); }));
  EXPECT_EQ(foreign.node.reactor.try_send(foreign.id, as_bytes("last words")), 10U);
  foreign.node.reactor.close(foreign.id);
  foreign.settle();
  EXPECT_EQ(foreign.node.reactor.counters().connections.load(), 0U);
  std::array<char, 64> answer{};
  EXPECT_EQ(::recv(foreign.peer.get(), answer.data(), answer.size(), 0), 10);
  EXPECT_EQ(::recv(foreign.peer.get(), answer.data(), answer.size(), 0), 0);
}

TEST(ReactorTest, a_reset_is_no_orderly_end) {
  Foreign foreign;
  foreign.reset();
  ASSERT_TRUE(foreign.until([&] { return foreign.has_ended(); }));
  EXPECT_EQ(foreign.cause(), CloseCause::Reset);
  EXPECT_EQ(foreign.node.told.ended.at(foreign.id).detail, "connection reset by the other side");
}

TEST(ReactorTest, a_reset_seen_by_a_send_is_told_later_and_as_a_reset) {
  Foreign foreign;
  foreign.reset();
  EXPECT_EQ(foreign.node.reactor.try_send(foreign.id, as_bytes("x")), 0U);
  EXPECT_FALSE(foreign.has_ended());
  ASSERT_TRUE(foreign.until([&] { return foreign.has_ended(); }));
  EXPECT_EQ(foreign.cause(), CloseCause::Reset);
}

TEST(ReactorTest, a_server_that_ended_in_order_is_told_so_even_if_a_send_met_its_reset) {
  Foreign foreign;
  foreign.say("FATAL: terminating connection");
  foreign.peer.reset();
  // The first byte provokes a reset, the second meets it.
  foreign.node.reactor.try_send(foreign.id, as_bytes("q"));
  foreign.node.reactor.try_send(foreign.id, as_bytes("q"));
  ASSERT_TRUE(foreign.until([&] { return foreign.has_ended(); }));
  EXPECT_EQ(foreign.heard(), "FATAL: terminating connection");
  EXPECT_EQ(foreign.cause(), CloseCause::Eof);
}

TEST(ReactorTest, paused_bytes_wait_and_the_end_behind_them_too) {
  Foreign foreign;
  foreign.node.reactor.pause(foreign.id);
  foreign.say("unread");
  foreign.peer.reset();
  foreign.settle();
  EXPECT_EQ(foreign.heard(), "");
  EXPECT_FALSE(foreign.has_ended());
  EXPECT_EQ(foreign.node.told.ending[foreign.id], 1);
  foreign.node.reactor.resume(foreign.id);
  EXPECT_EQ(foreign.heard(), "") << "nothing is told from inside resume()";
  ASSERT_TRUE(foreign.until([&] { return foreign.has_ended(); }));
  EXPECT_EQ(foreign.heard(), "unread");
  EXPECT_EQ(foreign.cause(), CloseCause::Eof);
}

TEST(ReactorTest, the_end_is_told_while_paused_if_nothing_is_unread) {
  Foreign foreign;
  foreign.node.reactor.pause(foreign.id);
  foreign.peer.reset();
  ASSERT_TRUE(foreign.until([&] { return foreign.has_ended(); }));
  EXPECT_EQ(foreign.cause(), CloseCause::Eof);
}

TEST(ReactorTest, pausing_between_two_buffers_stops_after_the_first) {
  ReactorOptions options;
  options.receive_bytes = 16;
  Loop loop(options);
  loop.told().on_bytes = [&](ConnectionId id) { loop.io().pause(id); };
  const std::string text(100, 't');
  loop.io().try_send(loop.here, as_bytes(text));
  std::size_t parts = 0;
  while (loop.told().bytes[loop.there].size() < text.size()) {
    const std::size_t before = loop.told().bytes[loop.there].size();
    ASSERT_TRUE(loop.until([&] { return loop.told().bytes[loop.there].size() > before; }));
    loop.io().inbox().wake();
    loop.io().turn();
    ASSERT_LE(loop.told().bytes[loop.there].size(), before + 16);
    loop.io().resume(loop.there);
    ++parts;
  }
  EXPECT_EQ(parts, 7U);
}

TEST(ReactorTest, a_full_socket_takes_a_part_and_asks_for_the_rest) {
  Loop loop;
  std::string wanted;
  for (int i = 0; wanted.size() < 16U * 1024 * 1024; ++i) wanted += std::to_string(i) + ",";
  std::size_t sent = 0;
  const auto send_more = [&](ConnectionId id) {
    sent += loop.io().try_send(id, as_bytes(wanted).subspan(sent));
  };
  loop.told().on_writable = send_more;
  send_more(loop.here);
  EXPECT_LT(sent, wanted.size()) << "the test needs a socket that refuses something";
  ASSERT_TRUE(loop.until([&] { return loop.told().bytes[loop.there].size() >= wanted.size(); }));
  EXPECT_TRUE(loop.told().bytes[loop.there] == wanted);
}

TEST(ReactorTest, the_last_words_survive_bytes_that_we_never_read) {
  Foreign foreign;
  foreign.node.reactor.pause(foreign.id);
  foreign.say("a query that nobody will read");
  foreign.settle();
  foreign.node.reactor.try_send(foreign.id, as_bytes("FATAL: no more connections"));
  foreign.node.reactor.close(foreign.id);
  foreign.settle();
  // A reset would make recv fail with ECONNRESET, with the message lost.
  std::string answer(100, '\0');
  const ssize_t count = ::recv(foreign.peer.get(), answer.data(), answer.size(), MSG_WAITALL);
  ASSERT_GT(count, 0);
  EXPECT_EQ(answer.substr(0, static_cast<std::size_t>(count)), "FATAL: no more connections");
  EXPECT_EQ(foreign.node.reactor.counters().connections.load(), 1U) << "it lingers";
  foreign.peer.reset();
  EXPECT_TRUE(foreign.until([&] { return foreign.node.reactor.counters().connections == 0; }));
}

TEST(ReactorTest, lingering_for_a_silent_peer_ends_by_time) {
  ReactorOptions options;
  options.linger_max = std::chrono::milliseconds(5);
  Loop loop(options);
  const Descriptor silent = connect_peer(loop.endpoint);
  ASSERT_TRUE(loop.until([&] { return loop.told().accepted.size() == 2; }));
  loop.io().close(loop.told().accepted.back());
  EXPECT_TRUE(loop.until([&] { return loop.io().counters().connections == 2; }));
}

TEST(ReactorTest, lingering_is_short_once_it_stops) {
  ReactorOptions options;
  options.linger_max = std::chrono::hours(1);
  options.linger_at_stop_max = std::chrono::milliseconds(5);
  Loop loop(options);
  const Descriptor silent = connect_peer(loop.endpoint);
  ASSERT_TRUE(loop.until([&] { return loop.told().accepted.size() == 2; }));
  loop.io().close(loop.told().accepted.back());
  loop.io().stop();
  EXPECT_TRUE(loop.until([&] { return loop.io().counters().connections == 2; }));
}

TEST(ReactorTest, lingering_for_a_babbling_peer_ends_by_amount) {
  ReactorOptions options;
  options.linger_max = std::chrono::hours(1);
  options.linger_bytes_max = 1000;
  Loop loop(options);
  const Descriptor babbling = connect_peer(loop.endpoint);
  ASSERT_TRUE(loop.until([&] { return loop.told().accepted.size() == 2; }));
  send_both(babbling.get(), as_bytes(std::string(5000, 'b')), {});
  loop.io().close(loop.told().accepted.back());
  EXPECT_TRUE(loop.until([&] { return loop.io().counters().connections == 2; }));
}

TEST(ReactorTest, a_dead_id_is_harmless) {
  Loop loop;
  const ConnectionId dead = loop.there;
  loop.io().close(dead);
  EXPECT_EQ(loop.io().try_send(dead, as_bytes("x")), 0U);
  loop.io().pause(dead);
  loop.io().resume(dead);
  loop.io().close(dead);
  ASSERT_TRUE(loop.until([&] { return loop.told().ended.contains(loop.here); }));
  const ConnectionId next = loop.io().open(loop.endpoint);
  EXPECT_NE(next, dead) << "a slot is used again under another generation";
  EXPECT_EQ(loop.io().try_send(dead, as_bytes("x")), 0U);
  EXPECT_FALSE(loop.told().ended.contains(dead));
}

TEST(ReactorTest, wakes_at_the_last_time_asked_for_and_not_before) {
  Node node;
  const base::Instant start = monotonic_now();
  node.reactor.wake_at(start + std::chrono::hours(1));
  node.reactor.wake_at(start + std::chrono::milliseconds(3));
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return !node.told.wakes.empty(); }));
  EXPECT_GE(node.told.wakes.front(), start + std::chrono::milliseconds(3));
  EXPECT_LE(node.reactor.counters().turns.load(), 3U) << "it sleeps until then";
  node.reactor.wake_at(monotonic_now() + std::chrono::milliseconds(1));
  node.reactor.wake_at(base::kNever);
  node.reactor.inbox().post(std::make_unique<Note>("only this"));
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return !node.told.parcels.empty(); }));
  EXPECT_EQ(node.told.wakes.size(), 1U);
}

TEST(ReactorTest, parcels_arrive_in_the_order_in_which_they_were_posted) {
  Node node;
  std::vector<std::string> wanted;
  for (int i = 0; i < 5; ++i) {
    wanted.push_back(std::to_string(i));
    node.reactor.inbox().post(std::make_unique<Note>(wanted.back()));
  }
  node.reactor.turn();
  std::vector<std::string> told;
  for (const auto& [id, text] : node.told.parcels) told.push_back(text);
  EXPECT_EQ(told, wanted);
}

TEST(ReactorTest, hand_over_moves_a_connection_with_its_unread_bytes) {
  Foreign login;
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  login.node.reactor.attach(switchboard);
  login.node.reactor.pause(login.id);
  login.say("first query");
  login.settle();
  login.node.reactor.hand_over(login.id, base::Mailbox::relay(0),
                               std::make_unique<Note>("client 7"));
  EXPECT_EQ(login.node.reactor.try_send(login.id, as_bytes("x")), 0U) << "it is dead here";
  ASSERT_TRUE(turn_until({&relay.reactor}, [&] { return !relay.told.bytes.empty(); }));
  const ConnectionId moved = relay.told.parcels.front().first;
  EXPECT_EQ(relay.told.parcels.front().second, "client 7");
  EXPECT_EQ(relay.told.bytes[moved], "first query");
  login.peer.reset();
  EXPECT_TRUE(turn_until({&relay.reactor}, [&] { return relay.told.ended.contains(moved); }));
  EXPECT_FALSE(login.has_ended());
}

TEST(ReactorTest, hand_over_of_a_full_socket_still_asks_for_the_rest) {
  Foreign login;
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  login.node.reactor.attach(switchboard);
  const std::string much(32U * 1024 * 1024, 'm');
  ASSERT_LT(login.node.reactor.try_send(login.id, as_bytes(much)), much.size());
  login.node.reactor.hand_over(login.id, base::Mailbox::relay(0), std::make_unique<Note>("client"));
  relay.reactor.turn();
  const ConnectionId moved = relay.told.parcels.front().first;
  std::string read(much.size(), '\0');
  ASSERT_TRUE(turn_until({&relay.reactor}, [&] {
    static_cast<void>(::recv(login.peer.get(), read.data(), read.size(), MSG_DONTWAIT));
    relay.reactor.inbox().wake();
    return relay.told.writable[moved] == 1;
  }));
}

TEST(ReactorTest, hand_over_wakes_nobody_before_the_turn_is_over) {
  Node login;
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  login.reactor.attach(switchboard);
  const auto has_rung = [&] {
    eventfd_t rings = 0;
    return ::eventfd_read(relay.reactor.inbox().alarm(), &rings) == 0;
  };
  bool has_rung_within = true;
  login.told.on_parcel = [&](ConnectionId) {
    login.reactor.hand_over(ConnectionId::None, base::Mailbox::relay(0),
                            std::make_unique<Note>(""));
    has_rung_within = has_rung();
  };
  ASSERT_TRUE(relay.reactor.inbox().announce_sleep());
  login.reactor.inbox().post(std::make_unique<Note>("go"));
  login.reactor.turn();
  EXPECT_FALSE(has_rung_within);
  login.reactor.inbox().wake();
  login.reactor.turn();
  EXPECT_TRUE(has_rung()) << "before it waits again";
}

constexpr ListenOptions kAcceptsWhoSpeaks{.silence_max = std::chrono::seconds(1), .socket = {}};

TEST(ReactorTest, who_is_accepted_as_it_speaks_is_served_at_once_and_heard_from_then_on) {
  Node node;
  const base::Endpoint endpoint = listen_on_loopback(node, 0, kAcceptsWhoSpeaks);
  const Descriptor peer = connect_peer(endpoint);
  send_both(peer.get(), as_bytes("hello"), {});
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return !node.told.accepted.empty(); }));
  const ConnectionId id = node.told.accepted.front();
  EXPECT_EQ(node.told.bytes[id], "hello") << "in the turn that accepted it";
  send_both(peer.get(), as_bytes(" again"), {});
  EXPECT_TRUE(turn_until({&node.reactor}, [&] { return node.told.bytes[id] == "hello again"; }));
}

TEST(ReactorTest, who_is_handed_over_at_its_first_word_loses_none) {
  Node login;
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  login.reactor.attach(switchboard);
  const base::Endpoint endpoint = listen_on_loopback(login, 0, kAcceptsWhoSpeaks);
  const Descriptor peer = connect_peer(endpoint);
  send_both(peer.get(), as_bytes("hello"), {});
  login.told.on_bytes = [&](ConnectionId id) {
    send_both(peer.get(), as_bytes("first query"), {});
    login.reactor.hand_over(id, base::Mailbox::relay(0), std::make_unique<Note>("client"));
  };
  ASSERT_TRUE(
      turn_until({&login.reactor, &relay.reactor}, [&] { return !relay.told.bytes.empty(); }));
  const ConnectionId moved = relay.told.parcels.front().first;
  EXPECT_EQ(relay.told.bytes[moved], "first query");
  EXPECT_EQ(login.reactor.counters().connections.load(), 0U);
  EXPECT_TRUE(login.told.ended.empty());
}

TEST(ReactorTest, who_says_nothing_is_accepted_all_the_same_and_may_leave) {
  Node node;
  const base::Endpoint endpoint = listen_on_loopback(node, 0, kAcceptsWhoSpeaks);
  const Descriptor silent = connect_peer(endpoint);
  { const Descriptor probe = connect_peer(endpoint); }
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return !node.told.ended.empty(); }));
  EXPECT_EQ(node.told.ended.begin()->second.cause, CloseCause::Eof);
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return node.told.accepted.size() == 2; }));
  EXPECT_TRUE(node.told.bytes.empty());
}

TEST(ReactorTest, unix_sockets_name_the_peer_and_ask_for_room_only_when_needed) {
  const std::string path = ::testing::TempDir() + "pgweir_reactor_test.sock";
  Node node;
  std::vector<Listener> listeners;
  listeners.push_back(Listener::open_unix(path).value());
  node.reactor.listen(std::move(listeners), {});
  const ConnectionId here = node.reactor.open({.address = path, .port = 0, .host = {}});
  ASSERT_TRUE(turn_until({&node.reactor},
                         [&] { return !node.told.opened.empty() && !node.told.accepted.empty(); }));
  EXPECT_TRUE(node.told.peers.front().is_unix);
  EXPECT_EQ(node.told.peers.front().uid, ::getuid());
  EXPECT_EQ(node.told.peers.front().text, "unix:" + std::to_string(::getpid()));
  const std::string much(4U * 1024 * 1024, 'm');
  std::size_t sent = 0;
  node.told.on_writable = [&](ConnectionId id) {
    sent += node.reactor.try_send(id, as_bytes(much).subspan(sent));
  };
  node.told.on_writable(here);
  EXPECT_LT(sent, much.size());
  const ConnectionId there = node.told.accepted.front();
  ASSERT_TRUE(
      turn_until({&node.reactor}, [&] { return node.told.bytes[there].size() == much.size(); }));
}

TEST(ReactorTest, stop_listening_turns_newcomers_away_and_keeps_those_here) {
  Loop loop;
  loop.io().stop_listening();
  loop.io().turn();
  const ConnectionId late = loop.io().open(loop.endpoint);
  ASSERT_TRUE(loop.until([&] { return loop.told().ended.contains(late); }));
  EXPECT_EQ(loop.told().ended.at(late).cause, CloseCause::ConnectFailed);
  loop.io().try_send(loop.here, as_bytes("still"));
  EXPECT_TRUE(loop.until([&] { return loop.told().bytes[loop.there] == "still"; }));
}

// Two reactors on threads of their own and a third thread that posts: for TSan above all.
TEST(ReactorThreadsTest, connections_and_parcels_cross_threads_and_none_is_lost) {
  constexpr int kClients = 200;
  Node login;
  Node relay;
  Switchboard switchboard;
  switchboard.login = &login.reactor.inbox();
  switchboard.relays.push_back(&relay.reactor.inbox());
  login.reactor.attach(switchboard);
  relay.reactor.attach(switchboard);
  std::atomic<int> echoed = 0;
  std::atomic<int> posted = 0;
  login.told.on_bytes = [&](ConnectionId id) {
    login.reactor.hand_over(id, base::Mailbox::relay(0), std::make_unique<Note>("client"));
  };
  relay.told.on_parcel = [&](ConnectionId id) {
    if (id == ConnectionId::None) {
      ++posted;
    } else {
      relay.reactor.try_send(id, as_bytes("ok"));
      ++echoed;
    }
  };
  const base::Endpoint endpoint = listen_on_loopback(login);
  std::thread login_thread([&] { login.reactor.run(); });
  std::thread relay_thread([&] { relay.reactor.run(); });
  std::vector<Descriptor> peers;
  for (int i = 0; i < kClients; ++i) {
    peers.push_back(connect_peer(endpoint));
    ::fcntl(peers.back().get(), F_SETFL, 0);
    std::string answer(2, ' ');
    ASSERT_EQ(::send(peers.back().get(), "hello", 5, MSG_NOSIGNAL), 5);
    relay.reactor.inbox().post(std::make_unique<Note>("from outside"));
    ASSERT_EQ(::recv(peers.back().get(), answer.data(), 2, MSG_WAITALL), 2);
  }
  EXPECT_GT(relay.reactor.last_turn(), base::Instant());
  peers.clear();
  login.reactor.stop();
  relay.reactor.stop();
  login_thread.join();
  relay_thread.join();
  EXPECT_EQ(echoed.load(), kClients);
  EXPECT_EQ(posted.load(), kClients);
  EXPECT_EQ(relay.reactor.counters().moved_in.load(), static_cast<unsigned>(kClients));
}

TEST(ReactorTest, refused_connect_says_so) {
  base::Endpoint nobody;
  {
    Listener gone = Listener::open_tcp("127.0.0.1", 0).value();
    nobody = {.address = "127.0.0.1", .port = gone.port(), .host = {}};
  }
  Node node;
  const ConnectionId id = node.reactor.open(nobody);
  EXPECT_TRUE(node.told.ended.empty()) << "nothing is told from inside open()";
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return node.told.ended.contains(id); }));
  EXPECT_EQ(node.told.ended.at(id).cause, CloseCause::ConnectFailed);
  EXPECT_EQ(node.told.ended.at(id).detail, "connection refused");
}

}  // namespace
}  // namespace pgweir::net

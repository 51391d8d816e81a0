// One connection of a reactor in each of its states, from open() to its lingering end, and whatever
// its peer and its owner can do: what the handler is told, and what reaches the peer.
// Source of truth: base/io.h.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "base/matrix_test.h"
#include "net/testing.h"

namespace pgweir::net {
namespace {

using base::as_bytes;
using base::CloseCause;
using base::ConnectionId;
using testing::Node;
using testing::Note;
using testing::TemporaryDirectory;

// A connection over a Unix socket, where what one side has sent is there for the other, or over
// TCP. The peer is a bare socket, with a TLS of the test's own.
struct Scene {
  explicit Scene(bool is_unix)
      : listener(is_unix ? Listener::open_unix(directory.path() + "/socket").value()
                         : Listener::open_tcp("127.0.0.1", 0).value()),
        endpoint{.address = is_unix ? listener.name() : "127.0.0.1",
                 .port = listener.port(),
                 .host = {}} {
    switchboard.relays.push_back(&other.reactor.inbox());
    node.reactor.attach(switchboard);
    node.reactor.set_tls(testing::Identity::get().for_clients);
  }

  void turn() {
    for (Node* one : {&node, &other}) {
      one->reactor.inbox().wake();
      one->reactor.turn();
    }
  }
  // Turns until all that is there has been told.
  void settle() {
    for (int i = 0; i < 6; ++i) turn();
  }
  bool until(const std::function<bool()>& done) {
    return testing::turn_until({&node.reactor, &other.reactor}, done);
  }

  // The peer.
  void say(base::Bytes bytes) { send_both(peer.get(), bytes, {}); }
  base::ByteBuffer hear() {
    std::array<std::byte, 16384> room;
    base::ByteBuffer heard;
    while (true) {
      const ssize_t count = ::recv(peer.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (count <= 0) {
        has_heard_end = count == 0;
        return heard;
      }
      base::append(heard, base::Bytes(room).first(static_cast<std::size_t>(count)));
    }
  }
  // Its next words in TLS: of the handshake, then "q".
  void say_in_tls() {
    base::ByteBuffer out;
    if (is_secured) {
      tls->encrypt(as_bytes("q"), {}, out);
    } else {
      if (tls == nullptr)
        tls = testing::Identity::get().for_servers->make_stream(testing::Identity::get().connect());
      base::append(unheard, hear());
      is_secured = tls->handshake(std::exchange(unheard, {}), out) == TlsStream::Outcome::Done;
    }
    say(out);
  }
  void say_goodbye() {
    if (!is_secured) {
      returned = "none";
      return;
    }
    base::ByteBuffer out;
    tls->say_goodbye(out);
    say(out);
  }
  void reset_connection() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    peer.reset();
  }

  // The owner.
  void send() { returned = node.reactor.try_send(id, as_bytes("abc")) == 3 ? "took" : "refused"; }
  void ask() { returned = node.reactor.try_send(id, {}) == 1 ? "silent" : "no"; }
  void hand_over() {
    node.reactor.hand_over(id, base::Mailbox::relay(0), std::make_unique<Note>("it"));
  }

  // The ways to each state.
  void open() {
    id = node.reactor.open(endpoint);
    Accepted accepted;
    while (!accepted.fd.is_open()) accepted = listener.accept();
    peer = std::move(accepted.fd);
  }
  void accept() {
    std::vector<Listener> listeners;
    listeners.push_back(std::move(listener));
    node.reactor.listen(std::move(listeners), {});
    peer = testing::connect_peer(endpoint);
    ASSERT_TRUE(until([&] { return !node.told.accepted.empty(); }));
    id = node.told.accepted.front();
    settle();
  }
  void pause() {
    accept();
    node.reactor.pause(id);
  }
  void leave_unread() {
    pause();
    say(as_bytes("words"));
    settle();
  }
  void await_hello() {
    accept();
    node.reactor.start_tls(id, {});
    settle();
  }
  void answer_hello() {
    await_hello();
    say_in_tls();
    settle();
    unheard = hear();
  }
  void greet() {
    open();
    ASSERT_TRUE(until([&] { return !node.told.opened.empty(); }));
    node.reactor.start_tls(id, testing::Identity::get().connect());
    tls = testing::Identity::get().for_clients->make_stream({});
    settle();
    unheard = hear();
  }
  void secure() {
    await_hello();
    ASSERT_TRUE(until([&] {
      if (!is_secured) say_in_tls();
      return node.told.secured.contains(id);
    }));
    settle();
    hear();
  }
  void secure_and_pause() {
    secure();
    node.reactor.pause(id);
  }
  void leave_secured_unread() {
    secure_and_pause();
    say_in_tls();
    settle();
  }
  void linger_on() {
    accept();
    node.reactor.close(id);
    settle();
    hear();
  }

  TemporaryDirectory directory;
  Listener listener;
  base::Endpoint endpoint;
  Switchboard switchboard;
  Node node;
  Node other;  // Where it is handed over to.
  Descriptor peer;
  std::unique_ptr<TlsStream> tls;  // The peer's.
  bool is_secured = false;         // For the peer.
  base::ByteBuffer unheard;        // By its TLS.
  bool has_heard_end = false;
  ConnectionId id{};
  std::string returned;  // By a call, in a word.
};

struct State {
  std::string_view name;
  void (Scene::*reach)();
};
const std::vector<State> kStates{
    {"Opening", &Scene::open},
    {"Plain", &Scene::accept},
    {"Paused", &Scene::pause},
    {"Unread", &Scene::leave_unread},
    {"AwaitHello", &Scene::await_hello},
    {"AnsweredHello", &Scene::answer_hello},
    {"SentHello", &Scene::greet},
    {"Secured", &Scene::secure},
    {"SecuredPaused", &Scene::secure_and_pause},
    {"SecuredUnread", &Scene::leave_secured_unread},
    {"Lingering", &Scene::linger_on},
};

struct Event {
  std::string_view name;
  void (*happen)(Scene&);
};
const std::vector<Event> kPeers{
    {"Bytes", [](Scene& scene) { scene.say(as_bytes("words")); }},
    {"Tls", [](Scene& scene) { scene.say_in_tls(); }},
    {"Goodbye", [](Scene& scene) { scene.say_goodbye(); }},
    {"Fin", [](Scene& scene) { ::shutdown(scene.peer.get(), SHUT_WR); }},
};
const Event kReset{"Reset", [](Scene& scene) { scene.reset_connection(); }};
const std::vector<Event> kOurs{
    {"Send", [](Scene& scene) { scene.send(); }},
    {"Ask", [](Scene& scene) { scene.ask(); }},
    {"Pause", [](Scene& scene) { scene.node.reactor.pause(scene.id); }},
    {"Resume", [](Scene& scene) { scene.node.reactor.resume(scene.id); }},
    {"StartTls", [](Scene& scene) { scene.node.reactor.start_tls(scene.id, {}); }},
    {"HandOver", [](Scene& scene) { scene.hand_over(); }},
    {"Close", [](Scene& scene) { scene.node.reactor.close(scene.id); }},
};

std::string_view to_text(CloseCause cause) {
  switch (cause) {
    case CloseCause::Eof: return "eof";
    case CloseCause::Reset: return "reset";
    case CloseCause::Timeout: return "timeout";
    case CloseCause::ConnectFailed: return "connect";
    case CloseCause::TlsFailed: return "tls";
  }
  return {};
}

void add(std::string& all, std::string_view word) {
  if (!word.empty()) all += (all.empty() ? "" : ",") + std::string(word);
}
void forget(testing::Recorder& told) {
  told.opened.clear();
  told.secured.clear();
  told.bytes.clear();
  told.ending.clear();
  told.writable.clear();
}
void add_told(std::string& all, testing::Recorder& told) {
  if (!told.parcels.empty())
    add(all, told.parcels.front().first == ConnectionId::None ? "alone" : "moved");
  if (!told.opened.empty()) add(all, "opened");
  if (!told.secured.empty()) add(all, "secured");
  // Of TLS in the clear only that it is there.
  for (const auto& [id, bytes] : told.bytes) add(all, bytes.size() > 10 ? "cipher" : bytes);
  if (!told.ending.empty()) add(all, "ending");
  if (!told.writable.empty()) add(all, "writable");
  for (const auto& [id, end] : told.ended) add(all, to_text(end.cause));
}

std::string play(const State& state, const Event& event, bool is_unix = true) {
  Scene scene(is_unix);
  (scene.*state.reach)();
  forget(scene.node.told);
  event.happen(scene);
  if (scene.returned == "none") return scene.returned;
  if (is_unix) {
    scene.settle();
  } else if (state.name != "Lingering") {
    EXPECT_TRUE(scene.until(
        [&] { return !scene.node.told.ended.empty() || !scene.node.told.ending.empty(); }));
  }
  std::string all = scene.returned;
  add_told(all, scene.node.told);
  add_told(all, scene.other.told);
  if (scene.peer.is_open() && !scene.hear().empty()) all += ">";
  if (scene.has_heard_end) all += ".";
  return all.empty() ? "-" : all;
}

// What a call of ours returns and what the handler is told, in words of base/io.h: `words` and `q`
// are bytes, `cipher` is TLS in the clear, `moved` a parcel with the connection, `alone` without
// it. `>`: bytes reach the peer; `.`: our end reaches it. `none`: it cannot be.
TEST(ConnectionMatrix, whatever_its_peer_does_in_every_state) {
  base::expect_matrix(
      R"(
                  Bytes        Tls           Goodbye Fin
    Opening       opened,words opened,cipher none    opened,eof.
    Plain         words        >             none    eof.
    Paused        -            -             none    eof.
    Unread        -            -             none    ending
    AwaitHello    tls.         >             none    eof.
    AnsweredHello tls>.        secured       none    eof.
    SentHello     tls.         secured>      none    eof.
    Secured       tls>.        q             eof>.   eof.
    SecuredPaused -            -             -       eof.
    SecuredUnread -            -             -       ending
    Lingering     .            .             none    .
  )",
      base::names_of(kStates), base::names_of(kPeers),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kPeers[event]); });
}

TEST(ConnectionMatrix, whatever_its_owner_does_in_every_state) {
  base::expect_matrix(
      R"(
                  Send                    Ask       Pause  Resume StartTls HandOver    Close
    Opening       refused,opened,writable no,opened opened opened opened   dies        .
    Plain         took>                   silent    -      -      -        moved       .
    Paused        took>                   silent    -      -      -        moved       .
    Unread        took>                   no        -      words  tls.     moved,words .
    AwaitHello    refused                 no        -      -      -        dies        .
    AnsweredHello refused                 no        -      -      -        dies        .
    SentHello     refused                 no        -      -      -        dies        .
    Secured       took>                   silent    -      -      -        moved       >.
    SecuredPaused took>                   silent    -      -      -        moved       >.
    SecuredUnread took>                   no        -      q      -        moved,q     >.
    Lingering     refused.                no.       .      .      .        alone.      .
  )",
      base::names_of(kStates), base::names_of(kOurs),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kOurs[event]); });
}

// Only TCP has resets without a cause.
TEST(ConnectionMatrix, a_reset_in_every_state) {
  base::expect_matrix(R"(
                  Reset
    Opening       connect
    Plain         reset
    Paused        reset
    Unread        ending
    AwaitHello    reset
    AnsweredHello reset
    SentHello     reset
    Secured       reset
    SecuredPaused reset
    SecuredUnread ending
    Lingering     .
  )",
                      base::names_of(kStates), {"Reset"}, [](std::size_t state, std::size_t) {
                        return play(kStates[state], kReset, false);
                      });
}

TEST(ConnectionMatrix, bytes_refused_before_the_end_of_a_handshake_are_asked_for_behind_it) {
  for (const auto reach : {&Scene::await_hello, &Scene::answer_hello, &Scene::greet}) {
    Scene scene(true);
    (scene.*reach)();
    EXPECT_EQ(scene.node.reactor.try_send(scene.id, as_bytes("abc")), 0U);
    while (scene.node.told.secured.empty()) {
      scene.say_in_tls();
      scene.settle();
    }
    EXPECT_EQ(scene.node.told.writable[scene.id], 1);
  }
}

}  // namespace
}  // namespace pgweir::net

// For the tests of net: a Handler that writes down what it is told, and turning reactors until
// something has happened. Not part of the program.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/clock.h"
#include "net/reactor.h"
#include "net/self_signed.h"
#include "net/tls_context.h"

namespace pgweir::net::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "pgweir_net_XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What TLS needs on both sides, made once for all tests.
struct Identity {
  static const Identity& get() {
    static const Identity identity;
    return identity;
  }
  Identity() {
    const CertificateFiles files = ensure_self_signed(directory.path()).value();
    ServerTlsOptions own;
    own.certificate_file = files.certificate_file;
    own.key_file = files.key_file;
    for_clients = TlsContext::for_clients(own).value();
    for_servers = TlsContext::for_servers({}).value();
  }
  base::TlsRequest connect() const {
    return {.role = base::TlsRequest::Role::Connect, .setup = for_servers, .host = {}};
  }

  TemporaryDirectory directory;
  std::shared_ptr<const TlsContext> for_clients;
  std::shared_ptr<const TlsContext> for_servers;
};

struct Note final : base::Parcel {
  explicit Note(std::string said) : text(std::move(said)) {}
  std::string text;
};

class Recorder : public base::Handler {
 public:
  struct End {
    base::CloseCause cause;
    std::string detail;
  };

  void handle_accepted(base::ConnectionId id, const base::PeerAddress& peer,
                       base::Instant) override {
    accepted.push_back(id);
    peers.push_back(peer);
  }
  void handle_opened(base::ConnectionId id, base::Instant) override { opened.push_back(id); }
  void handle_secured(base::ConnectionId id, const base::TlsInfo& tls, base::Instant) override {
    EXPECT_TRUE(bytes[id].empty()) << "bytes were told before the handshake was";
    secured.emplace(id, tls);
    if (on_secured) on_secured(id);
  }
  void handle_bytes(base::ConnectionId id, base::Bytes arrived, base::Instant) override {
    EXPECT_FALSE(ended.contains(id)) << "bytes of a dead connection";
    bytes[id] += base::as_text(arrived);
    if (on_bytes) on_bytes(id);
  }
  void handle_ending(base::ConnectionId id, base::Instant) override { ++ending[id]; }
  void handle_writable(base::ConnectionId id, base::Instant) override {
    ++writable[id];
    if (on_writable) on_writable(id);
  }
  void handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view detail,
                     base::Instant) override {
    EXPECT_FALSE(ended.contains(id)) << "told twice";
    ended.emplace(id, End{cause, std::string(detail)});
    if (on_closed) on_closed(id);
  }
  void handle_parcel(base::ConnectionId id, std::unique_ptr<base::Parcel> parcel,
                     base::Instant) override {
    parcels.emplace_back(id, static_cast<Note&>(*parcel).text);
    if (on_parcel) on_parcel(id);
  }
  void handle_wake(base::Instant now) override {
    wakes.push_back(now);
    if (on_wake) on_wake();
  }

  std::vector<base::ConnectionId> accepted;
  std::vector<base::PeerAddress> peers;
  std::vector<base::ConnectionId> opened;
  std::map<base::ConnectionId, base::TlsInfo> secured;
  std::map<base::ConnectionId, std::string> bytes;
  std::map<base::ConnectionId, int> ending;
  std::map<base::ConnectionId, int> writable;
  std::map<base::ConnectionId, End> ended;
  std::vector<std::pair<base::ConnectionId, std::string>> parcels;
  std::vector<base::Instant> wakes;
  std::function<void(base::ConnectionId)> on_bytes, on_writable, on_parcel, on_secured, on_closed;
  std::function<void()> on_wake;
};

// A reactor and its recorder.
struct Node {
  explicit Node(const ReactorOptions& options = {}) : reactor(*make(options)) {
    reactor.attach(told);
  }
  static Reactor* make(const ReactorOptions& options) {
    return Reactor::create(options).value().release();
  }
  ~Node() { delete &reactor; }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Recorder told;
  Reactor& reactor;
};

// Turns the reactors by turns until `done`, or gives up after 10 s.
inline bool turn_until(std::initializer_list<Reactor*> reactors,
                       const std::function<bool()>& done) {
  const base::Instant give_up = monotonic_now() + std::chrono::seconds(10);
  while (!done()) {
    if (monotonic_now() > give_up) return false;
    for (Reactor* reactor : reactors) {
      // A wake due at once keeps one reactor from sleeping while another has work.
      if (reactors.size() > 1) reactor->inbox().wake();
      reactor->turn();
    }
  }
  return true;
}

// A listener on a free port of loopback, given to the node. Returns where to connect to.
// send_buffer_bytes: of the accepted sockets (SO_SNDBUF), 0 for the kernel's choice.
inline base::Endpoint listen_on_loopback(Node& node, int send_buffer_bytes = 0,
                                         const ListenOptions& options = {}) {
  Listener listener = Listener::open_tcp("127.0.0.1", 0, options).value();
  base::Endpoint endpoint{.address = "127.0.0.1", .port = listener.port(), .host = "localhost"};
  if (send_buffer_bytes != 0) {
    ::setsockopt(listener.fd(), SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes,
                 sizeof(send_buffer_bytes));
  }
  std::vector<Listener> listeners;
  listeners.push_back(std::move(listener));
  node.reactor.listen(std::move(listeners), {});
  return endpoint;
}

// A plain blocking socket connected to the endpoint: a peer whose every system call the test makes.
inline Descriptor connect_peer(const base::Endpoint& endpoint) {
  ConnectAttempt attempt = begin_connect(endpoint, {});
  EXPECT_EQ(attempt.error, 0);
  return std::move(attempt.fd);
}

}  // namespace pgweir::net::testing

#include "relay.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/socket.h"
#include "wire/startup.h"

namespace pgweir::bench {

namespace {

constexpr std::size_t kServerCount = 10;  // As the poolers beside it.
constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr std::array kReady{std::byte{'Z'}, std::byte{0}, std::byte{0},
                            std::byte{0},   std::byte{5}, std::byte{'I'}};

bool ends_ready(base::Bytes bytes) {
  return bytes.size() >= kReady.size() &&
         std::equal(kReady.begin(), kReady.end(), bytes.last(kReady.size()).begin());
}

void await(int fd, short events) {
  pollfd wanted{.fd = fd, .events = events, .revents = 0};
  static_cast<void>(::poll(&wanted, 1, 1000));
}

// What is left when the other end has gone is nobody's.
void send_all(int fd, base::Bytes bytes) {
  while (!bytes.empty()) {
    const std::ptrdiff_t sent = net::send_both(fd, bytes, {});
    if (sent < 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
    if (!bytes.empty()) await(fd, POLLOUT);
  }
}

}  // namespace

Relay::Relay(net::Listener listener, net::Poller poller, std::uint16_t server_port)
    : listener_(std::move(listener)),
      poller_(std::move(poller)),
      server_port_(server_port),
      received_(kReceiveBytes) {
  poller_.add(listener_.fd(), EPOLLIN, static_cast<std::uint64_t>(listener_.fd()));
}

void Relay::turn() {
  for (const epoll_event& event : poller_.wait(std::chrono::seconds(1))) {
    if (event.data.u64 == static_cast<std::uint64_t>(listener_.fd())) {
      accept_clients();
    } else if (peers_[event.data.u64] != nullptr) {
      serve(*peers_[event.data.u64]);
    }
  }
}

void Relay::accept_clients() {
  while (true) {
    net::Accepted accepted = listener_.accept();
    if (accepted.outcome != net::Accepted::Outcome::Connection) return;
    add(std::move(accepted.fd));
  }
}

Relay::Peer& Relay::add(net::Descriptor fd) {
  const auto number = static_cast<std::size_t>(fd.get());
  if (peers_.size() <= number) peers_.resize(number + 1);
  peers_[number] = std::make_unique<Peer>();
  peers_[number]->fd = std::move(fd);
  poller_.add(static_cast<int>(number), EPOLLIN | EPOLLRDHUP | EPOLLET, number);
  return *peers_[number];
}

Relay::Peer* Relay::find_server() {
  if (idle_.empty()) return server_count_ < kServerCount ? open_server() : nullptr;
  Peer* server = idle_.back();
  idle_.pop_back();
  return server;
}

Relay::Peer* Relay::open_server() {
  net::ConnectAttempt attempt =
      net::begin_connect({.address = "127.0.0.1", .port = server_port_, .host = {}}, {});
  if (!attempt.fd.is_open()) return nullptr;
  const int fd = attempt.fd.get();
  await(fd, POLLOUT);
  base::ByteBuffer hello;
  wire::encode_startup(hello, wire::kProtocol30, {{"user", "bench"}, {"database", "bench"}});
  send_all(fd, hello);
  welcome_.clear();
  base::ByteBuffer part(1024);
  while (!ends_ready(welcome_)) {
    await(fd, POLLIN);
    const ssize_t count = ::recv(fd, part.data(), part.size(), 0);
    if (count <= 0) return nullptr;
    base::append(welcome_, base::Bytes(part).first(static_cast<std::size_t>(count)));
  }
  ++server_count_;
  Peer& server = add(std::move(attempt.fd));
  server.is_server = true;
  return &server;
}

void Relay::serve(Peer& peer) {
  const int fd = peer.fd.get();
  const ssize_t count = ::recv(fd, received_.data(), received_.size(), 0);
  if (count < 0) return;
  if (count == 0) return remove(peer);
  const base::Bytes bytes = base::Bytes(received_).first(static_cast<std::size_t>(count));
  if (peer.is_server) {
    serve_server(peer, bytes);
  } else {
    serve_client(peer, bytes);
  }
  // A full buffer says that there may be more, and no event will.
  const bool is_there = peers_[static_cast<std::size_t>(fd)] != nullptr;
  if (is_there && bytes.size() == received_.size()) serve(peer);
}

void Relay::serve_client(Peer& client, base::Bytes bytes) {
  if (bytes.front() == std::byte{'X'}) return remove(client);
  if (client.partner != nullptr) return send_all(client.partner->fd.get(), bytes);
  Peer* server = find_server();
  if (!client.is_welcome) {
    client.is_welcome = true;
    if (server != nullptr) idle_.push_back(server);
    send_all(client.fd.get(), welcome_);
  } else if (server != nullptr) {
    lend(*server, client, bytes);
  } else {
    if (client.parked.empty()) waiting_.push_back(&client);
    base::append(client.parked, bytes);
  }
}

void Relay::serve_server(Peer& server, base::Bytes bytes) {
  Peer* client = server.partner;
  if (client == nullptr) return;
  if (ends_ready(bytes)) {
    client->partner = server.partner = nullptr;
    if (waiting_.empty()) {
      idle_.push_back(&server);
    } else {
      // The next request leaves before the answer to the last one.
      Peer& next = *waiting_.front();
      waiting_.pop_front();
      lend(server, next, next.parked);
      next.parked.clear();
    }
  }
  send_all(client->fd.get(), bytes);
}

void Relay::lend(Peer& server, Peer& client, base::Bytes request) {
  server.partner = &client;
  client.partner = &server;
  send_all(server.fd.get(), request);
}

void Relay::remove(Peer& peer) {
  std::erase(idle_, &peer);
  std::erase(waiting_, &peer);
  if (peer.partner != nullptr) peer.partner->partner = nullptr;
  if (peer.is_server) --server_count_;
  peers_[static_cast<std::size_t>(peer.fd.get())].reset();
}

}  // namespace pgweir::bench

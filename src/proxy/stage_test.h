// Stage: the real Relay on a ScriptedIo. A test plays everybody else: it says what clients and
// servers say, byte by byte if it likes, and looks at what each of them hears and who has a server.
// Servers that the Relay asks for are there at once, as if Login had opened them. The Relay's
// invariants are checked after each event.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "obs/captured_log.h"
#include "obs/metrics.h"
#include "pool/exchange.h"
#include "proxy/messages_test.h"
#include "proxy/relay.h"
#include "proxy/scripted_io_test.h"

namespace pgweir::proxy {

class Stage {
 public:
  using Party = base::ConnectionId;

  // server_count_max: of each pool; every user has one. index: of this Relay among so many.
  explicit Stage(std::uint32_t server_count_max = 1,
                 const std::function<void(Options&)>& adjust = {}, pool::ReactorIndex index = 0,
                 std::uint32_t relay_count = 1)
      : exchange_(relay_count, relay_count),
        placement_(exchange_, relay_count),
        relay_({.io = io,
                .entropy = entropy_,
                .log = log,
                .metrics = metrics_,
                .counts = counts_,
                .exchange = exchange_,
                .placement = placement_,
                .index = index},
               make_options(server_count_max, adjust)) {}

  // As of a stage that was made with the same arguments.
  static std::shared_ptr<const Options> make_options(std::uint32_t server_count_max,
                                                     const std::function<void(Options&)>& adjust) {
    auto options = std::make_shared<Options>();
    DatabaseOptions database;
    database.name = "app";
    database.hosts = {{.host = "127.0.0.1", .port = 5432, .address = {}}};
    database.pool.server_count_max = server_count_max;
    options->databases.push_back(std::move(database));
    if (adjust) adjust(*options);
    return options;
  }

  // A client that has logged in and been welcomed; one that brings settings is welcomed when the
  // server has taken them.
  Party add_client(std::string_view user = "app", wire::Parameters settings = {},
                   std::string_view verdict = {}) {
    auto ready = std::make_unique<ClientReady>();
    base::append(ready->verdict, base::as_bytes(verdict));
    ready->identity.database = "app";
    ready->identity.user = user;
    ready->identity.parameters = std::move(settings);
    counts_.client_count.fetch_add(1);
    const Party id = next_id();
    relay_.handle_parcel(id, std::move(ready), now_);
    settle();
    welcome_[id] = heard(id);
    return id;
  }
  // What it was told when it had logged in.
  const std::string& welcome_of(Party client) { return welcome_[client]; }
  // The key of its BackendKeyData, which comes before its first ReadyForQuery.
  wire::CancelKey key_of(Party client) {
    const std::string& welcome = welcome_[client];
    const std::string body = welcome.substr(welcome.size() - 6 - 8, 8);
    wire::CancelKey key{.pid = base::load_u32(base::as_bytes(body).data()),
                        .secret = base::ByteBuffer(4)};
    for (std::size_t i = 0; i < 4; ++i) key.secret[i] = base::as_bytes(body)[4 + i];
    return key;
  }

  // Bytes from a client or a server. As in the reactor, none come from one that is paused.
  void say(Party from, std::string_view bytes) {
    ASSERT_FALSE(io.peer(from).is_closed) << "it is gone";
    ASSERT_FALSE(io.peer(from).is_paused) << "nobody reads from it";
    // A copy of exactly these bytes, so that a sanitizer sees who reads on or keeps the span.
    const auto copy = std::make_unique<std::byte[]>(bytes.size());
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    relay_.handle_bytes(from, {copy.get(), bytes.size()}, now_);
    settle();
  }
  // What it was sent since this was last asked.
  std::string heard(Party by) { return std::exchange(io.peer(by).sent, {}); }
  // It has gone, and what it said last is still unread.
  void approach_end(Party of) { relay_.handle_ending(of, now_); }
  void end(Party of, base::CloseCause cause = base::CloseCause::Eof) {
    io.peer(of).is_closed = true;
    relay_.handle_closed(of, cause, "", now_);
    settle();
  }
  // Its socket takes that much more.
  void give_room(Party to, std::size_t bytes = ScriptedIo::kEndless) {
    io.peer(to).room = bytes;
    io.peer(to).is_short_of_room = false;
    relay_.handle_writable(to, now_);
    settle();
  }
  void deliver(std::unique_ptr<base::Parcel> parcel) {
    relay_.handle_parcel(Party::None, std::move(parcel), now_);
    settle();
  }
  // The same with a connection, which it becomes.
  // is_dead: it has ended on the way, which is not told yet.
  Party bring(std::unique_ptr<base::Parcel> parcel, bool is_dead = false) {
    const Party id = next_id();
    io.peer(id).is_closed = is_dead;
    relay_.handle_parcel(id, std::move(parcel), now_);
    settle();
    return id;
  }
  pool::Exchange& exchange() { return exchange_; }
  // The thread is busy for so long: what is due meanwhile comes behind what is said next.
  void dawdle(base::Duration time) { now_ += time; }
  // All that is due within that time happens.
  void pass(base::Duration time) {
    const base::Instant end = now_ + time;
    while (io.wake() <= end) {
      now_ = std::max(now_, io.take_wake());
      relay_.handle_wake(now_);
      settle();
    }
    now_ = end;
  }

  // In the order of their opening; `first` is 0.
  Party server(std::size_t index = 0) const { return servers_.at(index); }
  std::size_t server_count() const { return servers_.size(); }
  // Where it is.
  const std::string& address_of(std::size_t index) const { return addresses_.at(index); }
  std::uint32_t lent() const { return relay_.counts().in_use; }
  std::uint32_t waiting() const { return relay_.counts().waiting; }
  bool is_closed(Party id) { return io.peer(id).is_closed; }
  bool is_paused(Party id) { return io.peer(id).is_paused; }

  // The parcels of one kind that the Relay has handed over since this was last asked.
  template <class T>
  std::vector<std::unique_ptr<T>> take() {
    std::vector<std::unique_ptr<T>> found;
    for (auto& parcel : io.parcels()) {
      if (auto* wanted = dynamic_cast<T*>(parcel.get())) {
        found.emplace_back(wanted);
        static_cast<void>(parcel.release());
      }
    }
    std::erase(io.parcels(), nullptr);
    return found;
  }

  ScriptedIo io;
  obs::CapturedLog log;
  std::string said_behind_login;  // By each server, in the same read as its ReadyForQuery.
  bool has_slow_logins = false;   // Servers that are asked for are not there yet.

 private:
  struct Counting final : base::Entropy {
    void fill(std::span<std::byte> out) override {
      for (std::byte& b : out) b = std::byte(++last);
    }
    std::uint8_t last = 0;
  };

  Party next_id() { return base::make_connection_id(++last_slot_, 1); }

  void settle() {
    open_servers();
    // Where sends are taken in small pieces, the rest follows by and by.
    for (auto& [id, peer] : io.peers()) {
      while (!peer.is_closed && peer.is_short_of_room && peer.room != 0) {
        peer.is_short_of_room = false;
        relay_.handle_writable(id, now_);
        open_servers();
      }
    }
    relay_.check_invariants();
  }
  void open_servers() {
    if (has_slow_logins) return;
    for (auto orders = take<OpenServer>(); !orders.empty(); orders = take<OpenServer>()) {
      for (const auto& order : orders) open_server(*order);
    }
  }
  void open_server(const OpenServer& order) {
    auto ready = std::make_unique<ServerReady>();
    ready->token = order.token;
    const ServerAddress& host = order.plan->database.hosts.front();
    ready->endpoint = {.address = host.host, .port = host.port, .host = {}};
    addresses_.push_back(host.host);
    // Without the last of them no text could be read, and every client would be pinned.
    ready->reported = {{"server_version", "15.9"},
                       {"client_encoding", "UTF8"},
                       {"standard_conforming_strings", "on"}};
    const Party id = next_id();
    ready->cancel_key = {.pid = 1000 + base::slot_of(id), .secret = base::ByteBuffer(4)};
    base::append(ready->rest, base::as_bytes(said_behind_login));
    servers_.push_back(id);
    relay_.handle_parcel(id, std::move(ready), now_);
  }

  Counting entropy_;
  obs::Metrics metrics_;
  SharedCounts counts_;
  pool::Exchange exchange_;
  Placement placement_;
  base::Instant now_ = base::Instant{} + std::chrono::hours(1);
  std::uint32_t last_slot_ = 0;
  std::vector<Party> servers_;
  std::vector<std::string> addresses_;
  std::map<Party, std::string> welcome_;
  Relay relay_;
};

}  // namespace pgweir::proxy

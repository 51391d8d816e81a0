// ScriptedIo: the Io of the tests of Relay and Login. It sends nothing: it notes what was sent,
// opened, paused, closed and handed over, and takes of each send as much as the test says. What
// happens next the test tells them itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/io.h"

namespace pgweir::proxy {

class ScriptedIo final : public base::Io {
 public:
  static constexpr std::size_t kEndless = SIZE_MAX;

  struct Peer {
    std::string sent;               // To it, since the test last took it.
    std::size_t send_count = 0;     // Empty offers included.
    std::size_t room = kEndless;    // So much its socket still takes.
    bool is_short_of_room = false;  // A send was not taken whole: it hears handle_writable.
    bool is_paused = false;
    bool is_shaking_hands = false;  // start_tls() was called.
    bool is_closed = false;         // By the Relay, or by its own end.
  };

  Peer& peer(base::ConnectionId id) { return peers_[id]; }
  std::map<base::ConnectionId, Peer>& peers() { return peers_; }
  std::vector<std::unique_ptr<base::Parcel>>& parcels() { return parcels_; }
  // When handle_wake is due; taken out, as it is told once.
  base::Instant take_wake() { return std::exchange(wake_, base::kNever); }
  base::Instant wake() const { return wake_; }
  // No send takes more than that at a time.
  void set_bytes_per_send(std::size_t bytes) { bytes_per_send_ = bytes; }

  std::size_t try_send(base::ConnectionId id, base::Bytes head, base::Bytes tail) override {
    Peer& to = peers_[id];
    ++to.send_count;
    if (head.empty() && tail.empty()) return to.is_closed ? 0 : 1;
    if (to.is_closed) return 0;
    const std::string offered = std::string(base::as_text(head)) + std::string(base::as_text(tail));
    const std::size_t taken = std::min({offered.size(), to.room, bytes_per_send_});
    to.sent.append(offered, 0, taken);
    if (to.room != kEndless) to.room -= taken;
    to.is_short_of_room = taken < offered.size();
    return taken;
  }
  void pause(base::ConnectionId id) override { peers_[id].is_paused = true; }
  void resume(base::ConnectionId id) override { peers_[id].is_paused = false; }
  void close(base::ConnectionId id) override { peers_[id].is_closed = true; }
  void hand_over(base::ConnectionId, base::Mailbox, std::unique_ptr<base::Parcel> what) override {
    parcels_.push_back(std::move(what));
  }
  void wake_at(base::Instant when) override { wake_ = when; }

  base::ConnectionId open(const base::Endpoint& endpoint) override {
    called_.push_back(endpoint.address);
    opened_.push_back(
        base::make_connection_id(kFirstOpenedSlot + static_cast<std::uint32_t>(opened_.size()), 1));
    return opened_.back();
  }
  void start_tls(base::ConnectionId id, const base::TlsRequest&) override {
    peers_[id].is_shaking_hands = true;
  }

  const std::vector<base::ConnectionId>& opened() const { return opened_; }
  // Where they lead.
  const std::vector<std::string>& called() const { return called_; }

 private:
  static constexpr std::uint32_t kFirstOpenedSlot = 1000;  // Above those that the test hands out.

  std::map<base::ConnectionId, Peer> peers_;
  std::vector<base::ConnectionId> opened_;
  std::vector<std::string> called_;
  std::vector<std::unique_ptr<base::Parcel>> parcels_;
  base::Instant wake_ = base::kNever;
  std::size_t bytes_per_send_ = kEndless;
};

}  // namespace pgweir::proxy

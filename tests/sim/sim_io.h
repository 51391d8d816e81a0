// SimIo: base::Io over simulated connections, one for each half of the core. It keeps the promises
// of the seam (base/io.h) and makes use of all its freedom: pieces of any size, ends at any moment,
// late timers, reused slots. Every call of the Handler is an event of its own, and a turn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/io.h"
#include "sim/link.h"
#include "sim/turns.h"
#include "sim/world.h"

namespace pgweir::sim {

// The rest of the simulated process and network, as an Io sees it.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  // Connects the link to whoever listens there; false: nobody does.
  virtual bool connect(const base::Endpoint& endpoint, const std::shared_ptr<Link>& link) = 0;
  // A parcel on its way to another part.
  virtual void post(base::Mailbox to, std::shared_ptr<Link> link,
                    std::unique_ptr<base::Parcel> parcel) = 0;
};

class SimIo final : public base::Io {
 public:
  // is_relay: sends may be taken in part. Login's are never: its few bytes find an empty buffer.
  // may_stop: an event may be left in the middle.
  SimIo(World& world, Surroundings& surroundings, bool is_relay, bool may_stop = false);
  void attach(base::Handler& handler) { handler_ = &handler; }
  Turns& turns() { return turns_; }

  // A client connects; handle_accepted follows.
  void accept(std::shared_ptr<Link> link, base::PeerAddress peer);
  // A parcel arrives: now, or when the Handler has done what it is about.
  void deliver(std::shared_ptr<Link> link, std::unique_ptr<base::Parcel> parcel);
  // The process ends: its connections are closed, and its Handler hears of nothing any more.
  void stop();
  // Connections that the Handler has not ended, and nobody else has.
  std::size_t open_count() const { return open_count_; }

  std::size_t try_send(base::ConnectionId id, base::Bytes head, base::Bytes tail) override;
  void pause(base::ConnectionId id) override;
  void resume(base::ConnectionId id) override;
  base::ConnectionId open(const base::Endpoint& endpoint) override;
  void start_tls(base::ConnectionId id, const base::TlsRequest& request) override;
  void close(base::ConnectionId id) override;
  void hand_over(base::ConnectionId id, base::Mailbox to,
                 std::unique_ptr<base::Parcel> parcel) override;
  void wake_at(base::Instant when) override;

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::shared_ptr<Link> link;  // nullptr: free.
    bool is_connected = false;
    bool is_paused = false;
    bool is_ending_told = false;
    bool is_served_soon = false;
  };

  Slot* find(base::ConnectionId id);
  base::ConnectionId occupy(std::shared_ptr<Link> link, bool is_connected);
  std::shared_ptr<Link> vacate(base::ConnectionId id);
  void admit(std::shared_ptr<Link> link, const base::PeerAddress& peer);
  void take(std::shared_ptr<Link> link, std::unique_ptr<base::Parcel> parcel);
  void end_all();
  void listen(base::ConnectionId id);
  void serve(base::ConnectionId id);
  void serve_soon(base::ConnectionId id);
  std::size_t bytes_to_read(std::size_t there);
  void finish_connecting(base::ConnectionId id, const base::Endpoint& endpoint);
  void maybe_reset(const std::shared_ptr<Link>& link);
  std::size_t write(Link& link, base::Bytes bytes);

  World& world_;
  Surroundings& surroundings_;
  const bool is_relay_;
  base::Handler* handler_ = nullptr;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t open_count_ = 0;
  bool is_stopped_ = false;
  std::uint64_t wake_generation_ = 0;
  Turns turns_;
};

}  // namespace pgweir::sim

#include "sim/sim_io.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pgweir::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What a reactor reads at a time.
constexpr std::size_t kReadBytesMax = 64 * 1024;

base::CloseCause cause_of(End end) {
  switch (end) {
    case End::None:
    case End::Eof: return base::CloseCause::Eof;
    case End::Reset: return base::CloseCause::Reset;
    case End::Timeout: return base::CloseCause::Timeout;
  }
  return base::CloseCause::Reset;
}

void turn_away(Link& link) {
  link.to_proxy->abandon();
  link.to_peer->finish(End::Eof);
}

}  // namespace

SimIo::SimIo(World& world, Surroundings& surroundings, bool is_relay, bool may_stop)
    : world_(world), surroundings_(surroundings), is_relay_(is_relay), turns_(world, may_stop) {}

SimIo::Slot* SimIo::find(base::ConnectionId id) {
  const std::uint32_t index = base::slot_of(id);
  if (index >= slots_.size() || slots_[index].link == nullptr) return nullptr;
  return slots_[index].generation == base::generation_of(id) ? &slots_[index] : nullptr;
}

base::ConnectionId SimIo::occupy(std::shared_ptr<Link> link, bool is_connected) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  const std::uint32_t generation = slot.generation + 1;
  slot = {.generation = generation, .link = std::move(link), .is_connected = is_connected};
  ++open_count_;
  return base::make_connection_id(index, generation);
}

std::shared_ptr<Link> SimIo::vacate(base::ConnectionId id) {
  Slot& slot = *find(id);
  std::shared_ptr<Link> link = std::move(slot.link);
  slot.link = nullptr;
  free_.push_back(base::slot_of(id));
  --open_count_;
  link->to_proxy->on_readable = nullptr;
  link->to_peer->on_room = nullptr;
  return link;
}

void SimIo::listen(base::ConnectionId id) {
  Link& link = *find(id)->link;
  link.to_proxy->on_readable = [this, id] { turns_.run([this, id] { serve(id); }); };
  link.to_peer->on_room = [this, id] {
    turns_.run([this, id] {
      if (find(id) != nullptr) handler_->handle_writable(id, world_.now());
    });
  };
}

void SimIo::accept(std::shared_ptr<Link> link, base::PeerAddress peer) {
  world_.after(microseconds(5), [this, link = std::move(link), peer = std::move(peer)] {
    turns_.run([this, link, peer] { admit(link, peer); });
  });
}

void SimIo::admit(std::shared_ptr<Link> link, const base::PeerAddress& peer) {
  if (is_stopped_) return turn_away(*link);
  const base::ConnectionId id = occupy(std::move(link), true);
  listen(id);
  handler_->handle_accepted(id, peer, world_.now());
  serve_soon(id);
}

void SimIo::deliver(std::shared_ptr<Link> link, std::unique_ptr<base::Parcel> parcel) {
  auto held = std::make_shared<std::unique_ptr<base::Parcel>>(std::move(parcel));
  turns_.run([this, link = std::move(link), held] { take(link, std::move(*held)); });
}

void SimIo::take(std::shared_ptr<Link> link, std::unique_ptr<base::Parcel> parcel) {
  if (is_stopped_) {
    if (link != nullptr) turn_away(*link);
    return;
  }
  base::ConnectionId id = base::ConnectionId::None;
  if (link != nullptr) {
    id = occupy(std::move(link), true);
    listen(id);
  }
  handler_->handle_parcel(id, std::move(parcel), world_.now());
  serve_soon(id);
}

void SimIo::stop() {
  turns_.run([this] { end_all(); });
}

void SimIo::end_all() {
  is_stopped_ = true;
  ++wake_generation_;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].link != nullptr) close(base::make_connection_id(i, slots_[i].generation));
  }
}

void SimIo::serve_soon(base::ConnectionId id) {
  Slot* slot = find(id);
  if (slot == nullptr || slot->is_served_soon) return;
  slot->is_served_soon = true;
  world_.after(base::Duration::zero(), [this, id] {
    turns_.run([this, id] {
      Slot* served = find(id);
      if (served == nullptr) return;
      served->is_served_soon = false;
      serve(id);
    });
  });
}

void SimIo::serve(base::ConnectionId id) {
  Slot* slot = find(id);
  if (slot == nullptr || !slot->is_connected) return;
  Stream& in = *slot->link->to_proxy;
  if (const End end = in.end(); end != End::None) {
    world_.say(slot->link->name + ": the proxy sees the end");
    const std::shared_ptr<Link> link = vacate(id);
    link->to_proxy->abandon();
    link->to_peer->finish(End::Eof);
    handler_->handle_closed(id, cause_of(end), "simulated", world_.now());
    return;
  }
  if (slot->is_paused) {
    if (in.is_ending() && !std::exchange(slot->is_ending_told, true)) {
      handler_->handle_ending(id, world_.now());
    }
    return;
  }
  if (in.unread().empty()) return;
  // A copy of exactly these bytes, so that a sanitizer sees who reads on or keeps the span.
  const base::Bytes unread = in.unread();
  const base::Bytes read = unread.first(bytes_to_read(unread.size()));
  const base::ByteBuffer copy(read.begin(), read.end());
  in.consume(copy.size());
  serve_soon(id);
  handler_->handle_bytes(id, copy, world_.now());
}

std::size_t SimIo::bytes_to_read(std::size_t there) {
  const std::size_t most = std::min(there, kReadBytesMax);
  if (!world_.chance(world_.faults.split)) return most;
  return world_.between(std::size_t{1}, world_.chance(0.5) ? std::min<std::size_t>(most, 8) : most);
}

std::size_t SimIo::try_send(base::ConnectionId id, base::Bytes head, base::Bytes tail) {
  Slot* slot = find(id);
  if (slot == nullptr || !slot->is_connected) return 0;
  const std::shared_ptr<Link> link = slot->link;
  if (head.empty() && tail.empty()) {
    const Stream& in = *link->to_proxy;
    return in.end() == End::None && in.unread().empty() ? 1 : 0;
  }
  if (link->to_proxy->end() == End::Reset) return 0;  // handle_closed is on its way.
  base::ByteBuffer offered(head.begin(), head.end());
  base::append(offered, tail);
  maybe_reset(link);
  return write(*link, offered);
}

std::size_t SimIo::write(Link& link, base::Bytes bytes) {
  if (!is_relay_) {
    ASSERT(link.to_peer->write(bytes) == bytes.size());
    return bytes.size();
  }
  if (!world_.chance(world_.faults.partial_send)) return link.to_peer->write(bytes);
  const base::Bytes some = bytes.first(world_.between(std::size_t{0}, bytes.size()));
  const std::size_t taken = link.to_peer->write(some);
  if (taken == some.size() && taken < bytes.size()) link.to_peer->ask_for_room();
  return taken;
}

void SimIo::maybe_reset(const std::shared_ptr<Link>& link) {
  const double probability =
      link->is_server ? world_.faults.reset_server : world_.faults.reset_client;
  if (!world_.chance(probability) || link->was_reset) return;
  link->was_reset = true;
  world_.after(world_.between(microseconds(0), milliseconds(5)), [this, link] {
    world_.say(link->name + ": reset by the network");
    link->reset();
  });
}

void SimIo::pause(base::ConnectionId id) {
  if (Slot* slot = find(id)) slot->is_paused = true;
}

void SimIo::resume(base::ConnectionId id) {
  Slot* slot = find(id);
  if (slot == nullptr || !slot->is_paused) return;
  slot->is_paused = false;
  serve_soon(id);
}

base::ConnectionId SimIo::open(const base::Endpoint& endpoint) {
  const bool is_small = world_.chance(world_.faults.small_buffer);
  auto link = std::make_shared<Link>(
      world_, is_small ? world_.between(std::size_t{700}, 4000) : 128 * 1024);
  link->is_server = true;
  link->name = "server link to " + endpoint.address;
  const base::ConnectionId id = occupy(std::move(link), false);
  // A lost SYN: nobody ever answers.
  if (world_.chance(world_.faults.slow_login * 0.3)) return id;
  const base::Duration delay = world_.chance(world_.faults.slow_login)
                                   ? world_.between(milliseconds(1), seconds(6))
                                   : world_.between(microseconds(50), microseconds(400));
  world_.after(delay, [this, id, endpoint] {
    turns_.run([this, id, endpoint] { finish_connecting(id, endpoint); });
  });
  return id;
}

void SimIo::finish_connecting(base::ConnectionId id, const base::Endpoint& endpoint) {
  Slot* slot = find(id);
  if (slot == nullptr) return;
  if (world_.chance(world_.faults.refuse) || !surroundings_.connect(endpoint, slot->link)) {
    vacate(id);
    handler_->handle_closed(id, base::CloseCause::ConnectFailed, "connection refused",
                            world_.now());
    return;
  }
  slot->is_connected = true;
  listen(id);
  handler_->handle_opened(id, world_.now());
  serve_soon(id);
}

// No simulated peer speaks TLS, so the core has no reason to ask.
void SimIo::start_tls(base::ConnectionId, const base::TlsRequest&) { fail("a TLS handshake"); }

void SimIo::close(base::ConnectionId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return;
  turn_away(*vacate(id));
}

void SimIo::hand_over(base::ConnectionId id, base::Mailbox to,
                      std::unique_ptr<base::Parcel> parcel) {
  std::shared_ptr<Link> link;
  if (id != base::ConnectionId::None) {
    if (find(id) == nullptr) fail("a connection is handed over that is dead");
    link = vacate(id);
  }
  surroundings_.post(to, std::move(link), std::move(parcel));
}

void SimIo::wake_at(base::Instant when) {
  const std::uint64_t generation = ++wake_generation_;
  if (when == base::kNever) return;
  const base::Duration late = world_.chance(world_.faults.late_timer)
                                  ? world_.between(microseconds(1), milliseconds(20))
                                  : base::Duration::zero();
  world_.at(when + late, [this, generation] {
    turns_.run([this, generation] {
      if (generation == wake_generation_) handler_->handle_wake(world_.now());
    });
  });
}

}  // namespace pgweir::sim

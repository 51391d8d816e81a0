// Link: one simulated connection, and Stream, one of its two directions. Bytes arrive in order and
// whole, as TCP promises; when, and in what pieces they are read, is chance. A stream holds a
// bounded number of bytes; the hooks are called from events of their own, never from inside a call.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/byte_queue.h"
#include "base/bytes.h"
#include "sim/world.h"

namespace pgweir::sim {

enum class End : std::uint8_t { None, Eof, Reset, Timeout };

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(World& world, std::size_t bytes_max) : world_(world), bytes_max_(bytes_max) {}

  // Writer's side: how many bytes there is room for, and taking them. on_room follows once there is
  // room after a write that was not taken whole.
  std::size_t room() const;
  std::size_t write(base::Bytes bytes);
  // Has on_room called soon, although there may be room already.
  void ask_for_room();
  // Nothing follows; the reader learns it behind all that was written.
  void finish(End end, base::Duration delay = base::Duration::zero());
  // The reader learns it at once, and what was on its way is gone.
  void break_off(End end);
  bool is_finished() const { return finished_at_ != base::kNever; }
  base::Instant finished_at() const { return finished_at_; }
  // Whether the reader has read all that was written.
  bool is_drained() const { return under_way_.empty() && unread_.empty(); }

  // Reader's side: what has arrived.
  base::Bytes unread() const { return unread_.bytes(); }
  void consume(std::size_t count);
  // None while bytes are still unread or the end has not arrived.
  End end() const { return unread_.empty() ? end_ : End::None; }
  // Whether nothing follows what is unread.
  bool is_ending() const { return end_ != End::None; }
  // The reader is gone: whatever comes is dropped, so that the writer never waits for it.
  void abandon();

  Action on_readable;  // Bytes or the end arrived.
  Action on_room;

 private:
  struct Parcel {
    base::ByteBuffer bytes;
    End end = End::None;
  };
  void send(Parcel parcel, base::Duration delay);
  void arrive();

  World& world_;
  const std::size_t bytes_max_;
  std::deque<Parcel> under_way_;
  std::size_t bytes_under_way_ = 0;
  base::Instant arrives_at_{};  // Of the last one under way.
  base::ByteQueue unread_;
  End end_ = End::None;
  base::Instant finished_at_ = base::kNever;
  bool is_abandoned_ = false;
  bool wants_room_ = false;
  bool is_telling_room_ = false;
};

struct Link {
  Link(World& world, std::size_t buffer_bytes)
      : to_proxy(std::make_shared<Stream>(world, buffer_bytes)),
        to_peer(std::make_shared<Stream>(world, buffer_bytes)) {}

  // Both ends see it at once.
  void reset() {
    to_proxy->break_off(End::Reset);
    to_peer->break_off(End::Reset);
  }

  std::shared_ptr<Stream> to_proxy;
  std::shared_ptr<Stream> to_peer;
  bool is_server = false;  // The peer is a PostgreSQL, else a client.
  bool was_reset = false;  // By a fault of the network.
  std::string name;        // For the story.
};

}  // namespace pgweir::sim

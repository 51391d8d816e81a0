// HandshakeLine: which clients may be in the middle of a TLS handshake, and who is next. One that
// waits costs nothing but its socket: its ClientHello is unread. It decides in the order in which
// they came; it reads no clock and touches no connection.
//
// A client that does not finish in time is not counted any more, although it may still finish. So
// the line moves on however many there are who say hello and then nothing.
#pragma once

#include <cstddef>
#include <deque>

#include "base/ids.h"
#include "base/time.h"

namespace pgweir::net {

struct HandshakeLineOptions {
  // A handshake that is under way holds some 30 KB more than what is left of it, and has cost up to
  // a millisecond of CPU time, during which nobody else logs in. With 64 at a time a CPU is still
  // busy where clients answer within 50 ms.
  std::size_t count_max = 64;
  base::Duration counted_max = std::chrono::milliseconds(250);
};

class HandshakeLine {
 public:
  explicit HandshakeLine(const HandshakeLineOptions& options) : options_(options) {}

  // Whether it may begin now. Otherwise it waits, and next() will name it.
  bool enter(base::ConnectionId id, base::Instant now);
  // Its handshake has ended, whichever way; nothing happens if it is not counted.
  void leave(base::ConnectionId id);
  // The next of those who wait, now counted; None if it has to wait on, or nobody does. It may have
  // hung up meanwhile: then leave() makes room again.
  base::ConnectionId next(base::Instant now);

  // Whether enter() would say yes, if nobody's time is up.
  bool has_room() const { return waiting_.empty() && counted_.size() < options_.count_max; }
  // Whether next() may name somebody; what a turn without handshakes pays for them.
  bool has_waiting() const { return !waiting_.empty(); }
  // When to ask next() although nobody has left; kNever while nobody waits.
  base::Instant deadline() const { return has_waiting() ? deadline_of_waiting() : base::kNever; }

 private:
  struct Counted {
    base::ConnectionId id;
    base::Instant until;
  };
  void forget_late(base::Instant now);
  base::Instant deadline_of_waiting() const;

  const HandshakeLineOptions options_;
  std::deque<Counted> counted_;  // Soonest first.
  std::deque<base::ConnectionId> waiting_;
};

}  // namespace pgweir::net

#include "net/handshake_line.h"

#include <algorithm>

namespace pgweir::net {

bool HandshakeLine::enter(base::ConnectionId id, base::Instant now) {
  forget_late(now);
  if (!has_room()) {
    waiting_.push_back(id);
    return false;
  }
  counted_.push_back({id, now + options_.counted_max});
  return true;
}

void HandshakeLine::leave(base::ConnectionId id) {
  const auto at = std::find_if(counted_.begin(), counted_.end(),
                               [id](const Counted& counted) { return counted.id == id; });
  if (at != counted_.end()) counted_.erase(at);
}

base::ConnectionId HandshakeLine::next(base::Instant now) {
  if (!has_waiting()) return base::ConnectionId::None;
  forget_late(now);
  if (counted_.size() >= options_.count_max) return base::ConnectionId::None;
  const base::ConnectionId id = waiting_.front();
  waiting_.pop_front();
  counted_.push_back({id, now + options_.counted_max});
  return id;
}

base::Instant HandshakeLine::deadline_of_waiting() const {
  return counted_.size() < options_.count_max ? base::Instant() : counted_.front().until;
}

void HandshakeLine::forget_late(base::Instant now) {
  while (!counted_.empty() && counted_.front().until <= now) counted_.pop_front();
}

}  // namespace pgweir::net

#include "sim/link.h"

#include <algorithm>

#include "base/assert.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

// By a copy, since the hook may take itself away.
void call(const Action& hook) {
  const Action copy = hook;
  if (copy) copy();
}

}  // namespace

std::size_t Stream::room() const {
  const std::size_t held = bytes_under_way_ + unread_.size();
  return held >= bytes_max_ ? 0 : bytes_max_ - held;
}

std::size_t Stream::write(base::Bytes bytes) {
  if (is_abandoned_ || is_finished()) return bytes.size();
  const std::size_t taken = std::min(bytes.size(), room());
  if (taken < bytes.size()) wants_room_ = true;
  if (taken == 0) return 0;
  bytes_under_way_ += taken;
  send({.bytes =
            base::ByteBuffer(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken))},
       base::Duration::zero());
  return taken;
}

void Stream::ask_for_room() {
  wants_room_ = false;
  if (is_telling_room_) return;
  is_telling_room_ = true;
  world_.after(microseconds(world_.between(1, 200)), [self = shared_from_this()] {
    self->is_telling_room_ = false;
    call(self->on_room);
  });
}

void Stream::finish(End end, base::Duration delay) {
  if (is_finished()) return;
  finished_at_ = world_.now();
  if (!is_abandoned_) send({.bytes = {}, .end = end}, delay);
}

void Stream::break_off(End end) {
  if (end_ != End::None) return;
  finished_at_ = std::min(finished_at_, world_.now());
  under_way_.clear();
  bytes_under_way_ = 0;
  unread_.clear();
  end_ = end;
  if (is_abandoned_) return;
  world_.after(base::Duration::zero(), [self = shared_from_this()] { call(self->on_readable); });
}

void Stream::send(Parcel parcel, base::Duration delay) {
  delay += world_.between(microseconds(20), microseconds(200));
  const FaultPlan& faults = world_.faults;
  if (world_.chance(faults.delay)) delay += world_.between(microseconds(1), faults.delay_max);
  if (world_.chance(faults.stall)) delay += world_.between(milliseconds(100), faults.stall_max);
  arrives_at_ = std::max(arrives_at_, world_.now() + delay);
  under_way_.push_back(std::move(parcel));
  world_.at(arrives_at_, [self = shared_from_this()] { self->arrive(); });
}

void Stream::arrive() {
  if (under_way_.empty()) return;  // Broken off meanwhile.
  const Parcel parcel = std::move(under_way_.front());
  under_way_.pop_front();
  bytes_under_way_ -= parcel.bytes.size();
  if (is_abandoned_) return;
  unread_.push(parcel.bytes);
  if (parcel.end != End::None) end_ = parcel.end;
  call(on_readable);
}

void Stream::consume(std::size_t count) {
  unread_.pop(count);
  if (wants_room_ && room() > 0) ask_for_room();
}

void Stream::abandon() {
  is_abandoned_ = true;
  on_readable = nullptr;
  unread_.clear();
  if (wants_room_) ask_for_room();
}

}  // namespace pgweir::sim

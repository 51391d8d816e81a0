#include "sim/client.h"
#include "wire/startup.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

void Client::cancel_soon() {
  ++cancels_pending_;
  world_.after(world_.between(microseconds(1), milliseconds(8)),
               [self = shared_from_this(), life = life_] {
                 if (self->life_ == life) self->send_cancel(self->key_, true);
               });
}

// With a wrong secret it strikes nobody.
void Client::guess_cancel_soon() {
  wire::CancelKey guess = key_;
  guess.secret.back() ^= std::byte{1};
  world_.after(world_.between(microseconds(1), milliseconds(8)),
               [self = shared_from_this(), guess] { self->send_cancel(guess, false); });
}

// On a connection of its own, which pgweir closes once the cancel has taken effect or was in vain.
void Client::send_cancel(const wire::CancelKey& key, bool is_own) {
  auto link = std::make_shared<Link>(world_, 4096);
  link->name = describe() + "'s cancel";
  world_.say(describe() + (is_own ? " cancels" : " guesses a key"));
  link->to_peer->on_readable = [self = shared_from_this(), life = life_, link, is_own] {
    if (link->to_peer->end() == End::None) self->complain("an answer to a CancelRequest");
    link->to_proxy->finish(End::Eof);
    link->to_peer->abandon();
    if (self->life_ != life || !is_own) return;
    --self->cancels_pending_;
    self->cancellable_unit_ = self->unit_;
    if (self->phase_ == Phase::Ready && self->is_waiting_for_cancel_) self->think();
  };
  door_.enter(link);
  base::ByteBuffer out;
  wire::encode_cancel_request(out, key);
  link->to_proxy->write(out);
}

}  // namespace pgweir::sim

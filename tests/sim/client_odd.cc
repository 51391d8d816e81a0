// What no driver does, but any program may: it stops inside a message, leaves in the same breath in
// which it asks, closes its half of the connection and listens on.
#include "sim/client.h"
#include "wire/query.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The rest follows when it likes: how long the answer takes says nothing.
void Client::write_in_parts(base::Bytes bytes) {
  asked_at_ = base::kNever;
  const std::size_t first = world_.between(std::size_t{0}, bytes.size());
  write(bytes.first(first));
  const base::Bytes rest = bytes.subspan(first);
  rest_.assign(rest.begin(), rest.end());
  const base::Duration longest = world_.chance(0.1) ? milliseconds(800) : milliseconds(5);
  world_.after(world_.between(microseconds(1), longest), [self = shared_from_this(), life = life_] {
    if (self->life_ == life) self->write({});
  });
}

// A statement and the good-bye in one write, whether a server is free or not. Who has one already
// has not spoken in vain.
void Client::leave_with_last_words() {
  Script script;
  const std::string text = world_.chance(0.5) ? select() : nap();
  script.query(text);
  wire::encode_terminate(script.bytes);
  write(script.bytes);
  world_.say(describe() + " leaves with last words " + text);
  const bool is_cancelled = cancels_pending_ != 0;
  if (holds_server() && outbox_.empty() && !is_cancelled) door_.note_last_words(find_mark(text));
  link_->to_peer->abandon();
  come_back();
}

void Client::half_close() {
  is_half_closed_ = true;
  link_->to_proxy->finish(End::Eof);
}

}  // namespace pgweir::sim

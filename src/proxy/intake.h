// Intake: what a client sends, as a stream: pieces of messages come in, whole headers go on to
// Requests, what cannot go on yet is parked, and a client that sends more than can go anywhere is
// not read from. What a message means is requests.h.
#pragma once

#include <optional>

#include "proxy/batch.h"
#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Intake {
 public:
  explicit Intake(RelayState& state) : state_(state) {}

  void handle_bytes(Client& client, base::Bytes bytes, base::Instant now);
  // The client has gone, and we do not read from it: if it waits, its turn is not to come any more.
  void handle_ending(Client& client);
  // Goes on with what has been parked: a server was lent, or somebody has room again.
  void resume(Client& client, base::Instant now);

 private:
  // Takes what it can; returns how many bytes, or nullopt when the client is no more.
  std::optional<std::size_t> take(Client& client, base::Bytes input, base::Instant now);
  std::size_t take_rest(Client& client, base::Bytes rest, Batch& batch);
  void throttle(Client& client);
  void release_unused(Client& client, base::Instant now);

  RelayState& state_;
};

}  // namespace pgweir::proxy

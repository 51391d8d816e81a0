// Inquiry: what pinned a client may have ended (DROP TABLE, pg_advisory_unlock(1), a transaction
// that was rolled back), and only the server knows. So it is asked, in the quiet behind the
// transaction; what its client sends next goes behind the question. What pins is session/pin_set.h.
#pragma once

#include <string_view>

#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Inquiry {
 public:
  explicit Inquiry(RelayState& state) : state_(state) {}

  // The server is idle: asks it, if that may set its client free.
  void consider(Client& client, Server& server, base::Instant now);
  // CommandComplete of the question.
  static void take_answer(Client& client, std::string_view command_tag);
  // ReadyForQuery behind the answer, or behind an error: then everything stays as it was.
  void conclude(Server& server);

 private:
  RelayState& state_;
};

}  // namespace pgweir::proxy

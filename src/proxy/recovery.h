// Recovery: brings a server whose client has gone back to a state in which it may be lent, or has
// it closed: cancel what runs, discard a bounded part of the answer, roll back, reset. Nothing that
// cannot be proved clean is lent.
#pragma once

#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Recovery {
 public:
  explicit Recovery(RelayState& state) : state_(state) {}

  // The client of this server is gone (and unlinked).
  void begin(Server& server, base::Instant now);
  // The server is idle and its client is done with it, but left session state: reset it first.
  void reset(Server& server, base::Instant now);
  // Something arrived, or a cancel is over: the next step, which at last releases the server.
  void proceed(Server& server, base::Instant now);

 private:
  void end_what_is_open(Server& server);
  void finish_reset(Server& server);

  RelayState& state_;
};

}  // namespace pgweir::proxy

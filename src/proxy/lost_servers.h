// LostServers: servers whose end nobody has seen, so that their backends may still be there. The
// pool counts their permits as taken until the control thread, which can see the backends, says
// that they are gone. It closes nothing.
#pragma once

#include <map>

#include "proxy/relay_state.h"

namespace pgweir::proxy {

class LostServers {
 public:
  explicit LostServers(RelayState& state) : state_(state) {}

  // The pool has been told; the server itself may be forgotten.
  void add(const Server& server, base::Instant now);
  void handle_gone(const ServerGone& gone, base::Instant now);
  // Those whose backend cannot be asked for, and must have ended by itself.
  void sweep(base::Instant now);
  bool empty() const { return lost_.empty(); }

 private:
  struct Lost {
    base::PoolId pool{};
    base::Instant gives_up_at = base::kNever;
  };

  RelayState& state_;
  std::map<ServerToken, Lost> lost_;
};

}  // namespace pgweir::proxy

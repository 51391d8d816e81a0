// Giving: servers that go to other Relays, where a client has waited longer, and that come from
// there. Which and when is pool::Shard's; what a server takes along is decided here.
#pragma once

#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Giving {
 public:
  explicit Giving(RelayState& state) : state_(state) {}

  // Carries out what the pool has decided: an idle server goes. One that has begun to say something
  // since is closed instead.
  void send(Server& server, pool::ReactorIndex to, base::Instant now);
  // One has come. Where nobody is left to be served, or its pool leads elsewhere by now, it is
  // closed, and so is one that has said something or ended meanwhile.
  void handle_given(base::ConnectionId id, ServerGiven& given, base::Instant now);

 private:
  std::unique_ptr<ServerGiven> pack(const Server& server) const;
  bool is_of_use(base::ConnectionId id, const ServerGiven& given, const Route& route) const;
  void unpack(ServerGiven& given, Server& server);
  void learn(ServerGiven& given, Route& route);
  void note_foreign_unnamed(Server& server);

  RelayState& state_;
};

}  // namespace pgweir::proxy

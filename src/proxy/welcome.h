// Welcome: what a client gets behind AuthenticationOk: the parameters of its session, its cancel
// key, ReadyForQuery; from what the route has learned, so that a login needs no server.
#pragma once

#include "proxy/relay_state.h"

namespace pgweir::proxy {

// REQUIRES: the client's route knows what its servers report.
void welcome(RelayState& state, Client& client);

}  // namespace pgweir::proxy

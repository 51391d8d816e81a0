// Welcome: what a client gets with or behind AuthenticationOk: the parameters of its session, that
// this is pgweir, its cancel key, ReadyForQuery; from what the route has learned, so that a login
// needs no server.
#pragma once

#include "proxy/relay_state.h"

namespace pgweir::proxy {

// verdict: what leaves before it in the same send (ClientReady); empty if that has left already.
// REQUIRES: the client's route knows what its servers report.
void welcome(RelayState& state, Client& client, base::Bytes verdict = {});

}  // namespace pgweir::proxy

// Moving: a reload may lead a database to another node, another role or another database there. Its
// clients follow to the route that is in the place of theirs: at once, or when their lease ends.
// What becomes of the servers that they leave is the pool's business.
#pragma once

#include "base/time.h"
#include "proxy/client.h"
#include "proxy/relay_state.h"

namespace pgweir::proxy {

// REQUIRES: the client neither waits nor has a server.
void follow_route(Client& client);

// After Routes::set_options(): those who wait go to the end of the new line, in their order.
void move_clients(RelayState& state, base::Instant now);

}  // namespace pgweir::proxy

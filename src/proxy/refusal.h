// Refusal: the error that a client gets when there is no server for it: which limit, who holds the
// connections, what to do. It names holders of the caller's own database and user; everybody else
// is a count. It never contains a literal of anybody's statement.
#pragma once

#include "proxy/relay_state.h"
#include "wire/report.h"

namespace pgweir::proxy {

// REQUIRES: the client was refused by the pool for `reason`. failure: the last failed login of its
// pool, or nullptr.
wire::Report make_refusal(RelayState& state, const Client& client, pool::RefuseReason reason,
                          const pool::Failure* failure, base::Instant now);

// What a client that waits is told, once.
wire::Report make_wait_notice(RelayState& state, const Client& client, base::Instant now);

}  // namespace pgweir::proxy

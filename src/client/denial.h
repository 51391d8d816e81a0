// Denial: why somebody got no server, in words: how long the wait was, who has the servers, and
// what the last login said.
#pragma once

#include "client/database.h"

namespace pgweir::client {

// since: when the wait began, by the precise clock. REQUIRES: the grant has no server.
error_info explain_denial(const Database& database, const Request& request, const Grant& grant,
                          base::Instant since);

}  // namespace pgweir::client

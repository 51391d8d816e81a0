// Statement refusal: why a statement is not even begun on a connection, whichever way its answer
// would be read.
#pragma once

#include <optional>

#include "client/database.h"
#include "client/libpq.h"

namespace pgweir::client {

// Nothing: it may begin.
std::optional<error_info> refuse_statement(const Database& database, const PGconn* connection,
                                           const code_location& where);

}  // namespace pgweir::client

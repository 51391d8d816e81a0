// Commit: what the answer to a COMMIT means, or its lack. Makes errors and does nothing.
#pragma once

#include "client/server.h"
#include "pgweir/error.hpp"

namespace pgweir::client {

// Nothing is under way and no transaction is open.
bool is_at_rest(const Server& server);

// COMMIT of a transaction that has failed says ROLLBACK, and is no error to PostgreSQL.
bool has_committed(const PGresult* result);
error_info explain_rollback(const code_location& where);

// Of a COMMIT that was sent, and got an error or no answer.
error_info explain_failed_commit(error_info info, const Server& server);

}  // namespace pgweir::client

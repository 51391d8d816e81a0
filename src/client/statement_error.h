// What went wrong with a statement, in words for the user: what PostgreSQL said, and where the
// program asked. Makes errors and does nothing to a connection.
#pragma once

#include <libpq-fe.h>

#include <string>

#include "pgweir/error.hpp"

namespace pgweir::client {

// " (file:line)".
std::string at(const code_location& where);

// Of a result that is an error.
error_info explain_error(const PGresult* result, const code_location& where);
// Of a connection that is gone.
error_info explain_loss(const PGconn* connection, const code_location& where);

}  // namespace pgweir::client

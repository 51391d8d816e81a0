// What went wrong with a statement, in words for the user: what PostgreSQL said, and where the
// program asked. Makes errors and does nothing to a connection.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>

#include "pgweir/error.hpp"

namespace pgweir::client {

// " (file:line)".
std::string at(const code_location& where);

// Of a result that is an error.
error_info explain_error(const PGresult* result, const code_location& where);
// Of a connection that is gone.
error_info explain_loss(const PGconn* connection, const code_location& where);

// Why a statement was not brought to its end.
enum class GivenUp : std::uint8_t {
  Late,     // It took longer than it may.
  Stopped,  // Somebody wanted it to end.
  Closed,   // The pool was shut down.
  Copy,     // It began a COPY where none is to be.
};
// is_connection_lost: or else PostgreSQL has given it up.
error_info explain_given_up(GivenUp why, bool is_connection_lost, const code_location& where);

}  // namespace pgweir::client

// StatementRun: one call of the user's on a server: within its time, with whatever it may be ended
// by, and with an error that says what PostgreSQL said and where the program asked.
#pragma once

#include <span>

#include "client/conversation.h"
#include "client/database.h"
#include "client/server.h"
#include "pgweir/result.hpp"
#include "pgweir/rows.hpp"
#include "pgweir/sql.hpp"

namespace pgweir::client {

// The results of the statements in their order, or the error of the first that failed. Afterwards
// the server is either at rest or its connection is cut, and then the error says so.
result<std::vector<Result>> run_statements(Database& database, Server& server,
                                           std::span<const Statement> statements, const sql& call);

// Whether that is more than the call, or else the pool, allows: result_too_large. More than the
// pool warns of is reported.
result<rows> check_size(Database& database, rows result, const sql& call);

// What a result that is an error says. The text has the place of the call.
error_info explain_error(const PGresult* result, const code_location& where);

}  // namespace pgweir::client

// routes: which path is which question, and what becomes of its answer, or of its error, in HTTP.
#pragma once

#include <pgweir/pgweir.hpp>

#include "http_server.h"

namespace clinic {

// Answers with JSON, whatever happens. Any thread.
Response respond(pgweir::database_pool& db, const Request& request);

// What is sent. `status` as of HTTP.
Response make_response(const Request& request, unsigned status, std::string json);

}  // namespace clinic

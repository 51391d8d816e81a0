// Startup options: which parameters a client brings in its StartupMessage, `options` taken apart.
// It refuses those that would make it somebody else (role, session_authorization) and switches that
// only a server's command line knows.
// Source of truth: pg_split_opts and process_postgres_switches in the PostgreSQL sources.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "session/parameters.h"

namespace pgweir::session {

// parameters: of the StartupMessage without user, database, replication and `_pq_.` ones.
// Errors: Unsupported, of the client, with a sentence that names the parameter.
base::Result<ParameterSet> parse_startup_options(
    const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace pgweir::session

// Login: one connection to PostgreSQL by libpq, from the name of its host to the settings that the
// URL asks for. It blocks, for connect_timeout at most and a little longer where a name server is
// silent; the pool has threads for that (blocking_work.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "client/conversation.h"
#include "client/libpq.h"
#include "insight/failure.h"
#include "proxy/options.h"

namespace pgweir::client {

using LoginOutcome = std::variant<Connection, insight::Failure>;

// The connection is idle, in non-blocking mode, and has the startup parameters of the database; its
// connect_query was run. application_name: what pg_stat_activity shows where the URL names none.
// stop: see Patience.
LoginOutcome log_in(const proxy::DatabaseOptions& database, std::string_view application_name,
                    int stop);

}  // namespace pgweir::client

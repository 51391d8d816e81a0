// What the control thread asks a server about others: the discovery statement of budget/ as a
// Statement, and who uses the server. Pure: text ↔ values.
// Source of truth: PostgreSQL manual, 28.2.3 (pg_stat_activity).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "budget/discovery.h"
#include "control/postgres_connection.h"

namespace pgweir::control {

// own_pids: BackendKeyData's of our connections to this server, lost ones included.
Statement discovery_statement(const std::vector<std::int32_t>& own_pids);

// backend_pid: BackendKeyData's of the session that asked.
// Errors: as budget::parse_discovery, and when the answer is not one row.
base::Result<budget::ServerFacts> read_discovery(const Rows& rows, std::int32_t backend_pid);

// Some client backends that are not ours and have all of this in common.
struct Usage {
  std::string user;
  std::string database;
  std::string application;  // Empty when it has none.
  std::uint32_t count = 0;
};

// The largest groups first, 10 at the most.
Statement usage_statement(const std::vector<std::int32_t>& own_pids);
std::vector<Usage> read_usage(const Rows& rows);

// "15.20" of server_version_num 150020; "9.6.24" of 90624.
std::string version_text(std::int64_t version);

}  // namespace pgweir::control

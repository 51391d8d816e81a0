// Discovery: the statement that asks a server how many connections it can bear, with which roles
// and in which databases, and what its answer means. Works on PostgreSQL 13 to 18 as a plain role.
// Sending it is the caller's.
//
// Source of truth: pg_stat_activity (of other roles' backends a plain role sees datid, usesysid and
// pid, but neither backend_type nor state), pg_roles, pg_database, pg_settings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "budget/allowance.h"

namespace pgweir::budget {

// One row; $1 is an int[] of our own backends' pids (encode_pids), lost ones included. The session
// that asks counts as ours whether it is in there or not.
extern const std::string_view kDiscoverySql;

// The columns of that row.
inline constexpr std::size_t kDiscoveryColumns = 10;

// "{4711,4712}".
std::string encode_pids(std::span<const std::int32_t> pids);

// Reads the row in text format; nullopt is NULL.
//
// backend_pid: from the BackendKeyData of the session that asked; 0 if it sent none.
// Errors: Unsupported, naming the column, when the answer has another shape: what is behind the URL
// is not PostgreSQL then.
base::Result<ServerFacts> parse_discovery(std::span<const std::optional<std::string_view>> row,
                                          std::int32_t backend_pid);

}  // namespace pgweir::budget

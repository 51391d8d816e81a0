// Allowance: how many connections this process may hold, as a sum with names, from what discovery
// found and what was set. Pure arithmetic; how it follows changes is allowance_tracker.h.
//
// Source of truth: InitProcess and InitializeSessionUserId in PostgreSQL, which count client
// backends against max_connections less the reserved slots, rolconnlimit and datconnlimit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "budget/limits.h"
#include "budget/options.h"
#include "pool/options.h"

namespace pgweir::budget {

// A role or a database that PostgreSQL holds to a limit, rolconnlimit or datconnlimit.
struct LevelFacts {
  std::string name;
  std::int64_t limit = 0;
  std::int64_t others = 0;  // Of its connections, those that are not ours.
  std::int64_t ours = 0;

  friend bool operator==(const LevelFacts&, const LevelFacts&) = default;
};

// What one look at a server found. Counts are of client backends that our role can see.
struct ServerFacts {
  std::int64_t version = 0;  // server_version_num: 150004 is 15.4.
  std::int64_t max_connections = 0;
  std::int64_t superuser_reserved = 0;
  std::int64_t reserved = 0;      // reserved_connections, from PostgreSQL 16; 0 before.
  std::int64_t others_total = 0;  // Not ours.
  std::int64_t ours = 0;
  std::int64_t backend_pid = 0;  // pg_backend_pid(), to be compared with BackendKeyData.
  bool is_superuser = false;     // The role that asked.
  // All that have a limit. Superusers have none, whatever is set.
  std::vector<LevelFacts> roles = {};
  std::vector<LevelFacts> databases = {};
  bool is_behind_pooler = false;  // The two differ: the caller sets it.

  friend bool operator==(const ServerFacts&, const ServerFacts&) = default;
};

// What limits the process.
enum class Bound : std::uint8_t {
  Server,      // max_connections and what is reserved of it.
  Role,        // rolconnlimit.
  Database,    // datconnlimit.
  Configured,  // connection_limit.
};

// Why the facts cannot be used; the configured sizes hold then.
enum class Trouble : std::uint8_t {
  None,
  BehindPooler,  // What we see is a pooler's, not PostgreSQL's.
  Nonsense,      // Numbers that no PostgreSQL gives.
};

struct Term {
  std::string_view name;
  std::int64_t value = 0;  // Negative where it is taken off.
};

// The sum for one bound. `total` is its terms added, never below 0.
struct Sum {
  Bound bound = Bound::Server;
  std::vector<Term> terms;
  std::int64_t total = 0;
};

struct Allowance {
  // What this process may hold; pool::kUnlimited when nothing says.
  std::uint32_t limit = pool::kUnlimited;
  Bound bound = Bound::Configured;
  Trouble trouble = Trouble::None;
  // Every bound that exists, in the order of the enumerators. Empty but for a set limit when there
  // is trouble.
  std::vector<Sum> sums;
  std::int64_t margin = 0;
  // Slots that are free now, ours not counted as free, before the margin. 0 when there is trouble.
  std::int64_t free_count = 0;
  // The set limit is less than a third of what the server could give: a value that was meant for
  // one client process, most likely.
  bool is_far_below_server = false;

  const Sum* find(Bound of) const;
};

// Of the whole server, or, with a login, of all connections that log in like that.
//
// At least 1 unless that one would be a slot reserved for superusers: a process that may hold none
// could not find out when that changes, and a plain role is refused by the server itself.
Allowance compute_allowance(const ServerFacts& facts, const Options& options,
                            const std::optional<Login>& login = {});

// For every login at once; 1 at least of each role and database, for the same reason.
// REQUIRES: no trouble with the facts.
Limits compute_limits(const ServerFacts& facts, const Options& options);

// What of a role or database is left alone.
std::int64_t level_margin(const LevelFacts& level, const Options& options);

// "100 max_connections - 3 superuser_reserved_connections - … = 82".
std::string describe(const Sum& sum);

}  // namespace pgweir::budget

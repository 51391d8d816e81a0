// ControlSnapshot: what the control thread knows of each node, as a value that other threads read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "budget/allowance.h"
#include "budget/limits.h"
#include "pool/options.h"

namespace pgweir::control {

struct NamedSum {
  std::string name;
  budget::Sum sum;
};

struct NodeSnapshot {
  std::string node;
  bool is_answering = false;  // At the last attempt; false before the first.
  // Why not, and what to do; or why the count is old or cannot be read. Else empty.
  std::string reason;
  // Client backends on the server, as our role can count them, and when they were counted; it may
  // be long ago when no client has been here since. Unset: never yet.
  std::optional<std::uint32_t> client_backends;
  base::Instant counted;
  // By when the next count should be there. kNever without clients: then nobody counts.
  base::Instant next_count_due = base::kNever;
  std::optional<budget::ServerFacts> facts;    // Of the last discovery …
  std::optional<budget::Allowance> allowance;  // … and what follows: of the server, or, where all
                                               // pools log in alike, of that login.
  std::uint32_t usable = pool::kUnlimited;     // What all pools may have together, by these facts.
  // Where pools log in differently: of each role and database of theirs that has a limit.
  std::vector<NamedSum> level_sums;
  std::uint32_t limit = pool::kUnlimited;  // In force: it rises more slowly than `allowance`.
  std::size_t servers_lost = 0;            // Whose end nobody saw and who may still be there.
};

struct ControlSnapshot {
  std::vector<NodeSnapshot> nodes;  // In the order of add_node().
};

}  // namespace pgweir::control

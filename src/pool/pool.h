// Pool: the state of one pool on one reactor. A Shard keeps it consistent; it decides nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/list.h"
#include "base/time.h"
#include "pool/login_backoff.h"
#include "pool/options.h"
#include "pool/server.h"
#include "pool/waiting_line.h"

namespace pgweir::pool {

struct InStarved;
struct InSpare;
struct InOrders;

// What add_pool wants to know.
struct PoolSpec {
  std::string name;
  Options options;
  // Narrowest first: the pool's own level, whose limit the shard sets from the options, then role,
  // database, server.
  std::vector<LevelId> levels;
};

struct Pool : base::ListHook<InStarved>, base::ListHook<InSpare>, base::ListHook<InOrders> {
  base::PoolId id{};
  PoolSpec spec;

  base::List<Server, InPool> servers;  // All but the lost ones.
  base::List<Server, InIdle> idle;     // To be closed first at the front, lent first at the back.
  base::List<Server, InRetiring> retiring;  // In service past their lifetime, longest first.
  WaitingLine line;

  std::uint32_t untold_count = 0;      // Openings decided, the owner not told yet.
  std::uint32_t ordered_count = 0;     // Told, not begun by the owner yet.
  std::uint32_t connecting_count = 0;  // Servers by state, from here on.
  std::uint32_t idle_count = 0;
  std::uint32_t leased_count = 0;
  std::uint32_t closing_count = 0;
  std::uint32_t lost_count = 0;
  std::uint32_t retiring_count = 0;  // Of the idle and leased ones.
  std::uint32_t claim_count = 0;     // Closing servers, of any pool, whose permit is for this one.

  LoginBackoff backoff;
  std::shared_ptr<const Failure> last_failure;  // Since the last login that worked.
  base::Duration login_time{};                  // Of the last login that worked.
  std::uint32_t generation = 0;                 // Servers of an earlier one are not lent again.
  base::Instant asked_since = base::kNever;     // What other reactors know of its oldest waiter …
  std::optional<LevelId> asked_level;           // … who lacks a permit of this level.
  bool has_asked_starved = false;               // It was starved when it asked last.
  base::Instant sweep_at = base::kNever;        // When something here may be due.

  const Options& options() const { return spec.options; }
  Levels levels() const { return spec.levels; }

  std::uint32_t opening_count() const { return untold_count + ordered_count + connecting_count; }
  std::uint32_t in_service_count() const { return idle_count + leased_count; }
  // All that hold permits.
  std::uint32_t counted() const {
    return opening_count() + in_service_count() + closing_count + lost_count;
  }
  // Servers under way to this pool; so many of its oldest waiters need no other.
  std::uint32_t covered_count() const { return opening_count() + claim_count; }
  bool has_uncovered() const { return line.count() > covered_count(); }
  // REQUIRES: has_uncovered().
  const Waiter& oldest_uncovered() const { return *line.oldest_after(covered_count()); }

  bool has_surplus() const { return in_service_count() > options().server_count_min; }
  // Servers that should be under way: never more than waiters and minimum want, and successors.
  std::uint32_t wanted_count() const {
    const std::uint32_t missing =
        has_surplus() ? 0 : options().server_count_min - in_service_count();
    return std::max(line.count(), missing) + retiring_count;
  }

  // Other reactors are asked for servers.
  bool is_asking() const { return asked_since != base::kNever; }
  bool is_starved() const { return base::ListHook<InStarved>::is_linked(); }
  bool is_spare() const { return base::ListHook<InSpare>::is_linked(); }
};

}  // namespace pgweir::pool

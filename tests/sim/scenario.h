// Scenario: what one seed simulates: how many servers, databases, users and clients there are,
// under which limits and options of pgweir, and what goes wrong. Everything follows from the seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/options.h"
#include "sim/client.h"
#include "sim/fault_plan.h"

namespace pgweir::sim {

struct Scenario {
  FaultPlan faults;
  ClientRules rules;
  proxy::Options options;
  std::uint32_t relay_count = 1;
  std::uint32_t servers_per_relay = 1;  // As Placement takes it.
  // Per yield of a reactor (pool::HookedYield): it stops there, and others go on; for how long.
  double stops = 0;
  base::Duration stop_max{};
  std::size_t node_count = 1;
  std::uint32_t server_limit = 5;        // Of each node, as the control thread would set it.
  std::size_t connection_count_max = 5;  // max_connections of each node; never below the limit.
  std::size_t client_count = 8;          // The databases take turns.
  bool is_crowd = false;                 // All clients do the same, and must get the same.
  bool changes_limit = false;  // Now and then the limit moves, between 1 and server_limit.
  // Clients come before a limit is found: it is this one until then.
  std::optional<std::uint32_t> first_server_limit = {};
  // pgweir is told to end after the first of these, and once more after the second one.
  std::optional<base::Duration> drains_after = {};
  std::optional<base::Duration> drains_at_once_after = {};
  base::Duration duration = std::chrono::seconds(3);  // Then the faults end and clients finish.

  bool reloads = false;                // Now and then another configuration comes into force.
  bool has_muttering_servers = false;  // Idle ones say what nobody has asked for.
  bool has_fallback = false;           // An entry "*" takes in who has none of its own (any more).

  static Scenario draw(std::uint64_t seed);
  // Another configuration: other sizes and times, not always all of the databases, and not each of
  // them where it was.
  proxy::Options redraw_options(base::Rng& rng) const;
  // What the clients of one database have to expect.
  ClientRules rules_for(const proxy::DatabaseOptions& database) const;
};

std::string address_of_node(std::size_t index);
// What clients of this entry ask for.
std::string database_asked_of(const proxy::DatabaseOptions& entry);

}  // namespace pgweir::sim

// Route: where a client's database and user lead: a pool, the plan for its server logins, and what
// its servers are known to report. Routes finds or makes them; it lends nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "budget/limits.h"
#include "obs/metrics.h"
#include "pool/shard.h"
#include "proxy/options.h"
#include "proxy/parcels.h"
#include "proxy/placement.h"
#include "proxy/proven_values.h"
#include "session/canonical_values.h"
#include "session/parameters.h"

namespace pgweir::proxy {

// Numbers of one pool; written by the Relay's thread, read by any.
struct RouteMetrics {
  obs::Gauge& clients;
  obs::Gauge& waiting;
  obs::Gauge& idle;
  obs::Gauge& leased;
  obs::Gauge& connecting;
  obs::Gauge& closing;
  obs::Gauge& lost;
  obs::Histogram& wait;
  obs::Histogram& hold;
  obs::Counter& moved;  // From this Relay to others.
};

struct Route {
  std::string database;  // As clients say them.
  std::string user;
  base::PoolId pool{};
  pool::LevelId pool_level{};  // Of this pool alone, on every Relay that has it.
  PoolMode mode = PoolMode::Transaction;
  std::string node;
  pool::LevelId server_level{};
  std::shared_ptr<const ServerPlan> plan;
  RouteMetrics metrics;

  // ParameterStatus of its servers, in their order; empty until the first login.
  wire::Parameters reported = {};
  base::Instant reported_at = {};  // When one of them last said so.
  session::CanonicalValues canonical = {};
  ProvenValues proven = {};

  // Some client has asked for currval or lastval: what others did to sequences is hidden from all.
  bool reads_sequences = false;

  std::uint32_t client_count = 0;
  bool is_removed = false;  // Its database is no longer configured.

  // A reload has led the database elsewhere: another route is in this one's place, which ends with
  // the leases that it has. nullptr: none.
  Route* successor = nullptr;
  Route* predecessor = nullptr;
};

// What the servers report at login; empty if they do not.
std::string_view reported_value(const Route& route, std::string_view name);
// False if that is what they report already.
bool change_reported(Route& route, std::string_view name, std::string_view value);

// Whether a server that was opened by one plan serves as well as one opened by the other.
bool lead_alike(const ServerPlan& one, const ServerPlan& other);

// What every server of one node counts against; "host:port" of the first host names the node.
std::string node_name(const DatabaseOptions& database);

// All connections of this process, to whichever node.
inline constexpr const char* kProcessLevel = "process";
inline std::string server_level_name(const std::string& node) { return "server " + node; }
// What the server itself counts together: all connections of a role, and all in a database.
inline std::string role_level_name(const std::string& node, const std::string& role) {
  return "rolconnlimit " + node + " " + role;
}
inline std::string database_level_name(const std::string& node, const std::string& database) {
  return "datconnlimit " + node + " " + database;
}

// Of one pool: unlike that of every other, whatever characters the names are made of.
std::string pool_level_name(const std::string& database, const std::string& user,
                            const std::string& node, const ServerPlan& plan);

// So many pools at most, since with a database called "*" their names are whatever clients say.
inline constexpr std::size_t kRouteCountMax = 10'000;

// What Routes work with. All outlive it.
struct RoutesWorld {
  pool::Exchange& exchange;
  pool::Shard& shard;
  obs::Metrics& metrics;
  Placement& placement;
  pool::ReactorIndex relay = 0;  // Whose they are.
};

class Routes {
 public:
  // limits: by node, until set_limits(); those of the server level are in its level already. What
  // is missing has no limit.
  Routes(const RoutesWorld& world, const std::map<std::string, budget::Limits>& limits);

  // The route of a database and user, made at first use; never one that has a successor.
  // REQUIRES: has_room_for() them.
  Route& find(const Options& options, const DatabaseOptions& database, const std::string& name,
              const std::string& user, base::Instant now);
  // Whether find() would find it or may make it.
  bool has_room_for(const std::string& name, const std::string& user) const {
    return routes_.size() < kRouteCountMax || by_name_.contains({name, user});
  }
  Route& at(base::PoolId pool) { return *routes_[base::index_of(pool)]; }
  // The youngest one of this pool; nullptr: there is none.
  Route* find_by_level(pool::LevelId pool_level) const;
  std::size_t count() const { return routes_.size(); }

  // How many connections this process may hold to a node.
  // Older ones than are known change nothing, whoever knows them (pool::Exchange).
  void set_limits(const std::string& node, const budget::Limits& limits, std::uint64_t version,
                  base::Instant now);
  // A new configuration may name new nodes: as in the constructor. What is known already stays.
  void add_nodes(const std::map<std::string, budget::Limits>& limits);
  // A new configuration: sizes at once, servers of a changed plan are recycled. A database that is
  // on another node now, or a role's or database's name that is another there, gets a new route:
  // what its servers count against is another level.
  void set_options(const Options& options, base::Instant now);
  // pgweir ends: no pool keeps a server.
  void close_all(base::Instant now);
  // Whether the last reload has taken the database of some client away.
  bool has_removed() const;
  // Brings the gauges up to date. waiting_clients: how many there are in a pool.
  void publish(const std::function<std::uint32_t(base::PoolId)>& waiting_clients);

 private:
  struct FoundLimits {
    budget::Limits limits;
    std::uint64_t version = 0;  // 0: nobody has looked yet.
  };
  Route& add(const Options& options, const DatabaseOptions& database, std::unique_ptr<Route> route,
             base::Instant now);
  void update(Route& route, const Options& options, const DatabaseOptions& database,
              std::shared_ptr<const ServerPlan> plan, base::Instant now);
  void replace(Route& old, const Options& options, const DatabaseOptions& database,
               std::shared_ptr<const ServerPlan> plan, base::Instant now);
  std::shared_ptr<const ServerPlan> make_plan(const Options& options,
                                              const DatabaseOptions& database,
                                              const std::string& name, const std::string& user);
  std::vector<pool::LevelId> configured_levels(const Options& options,
                                               const DatabaseOptions& database, const Route& route);
  std::vector<pool::LevelId> found_levels(const Route& route);
  void remove(Route& route, base::Instant now);
  void close(const Route& route, base::Instant now);
  pool::LevelId level_with(const std::string& name, std::uint32_t limit, std::uint64_t version = 0);
  pool::Options pool_options(const DatabaseOptions& database, const UserOptions& user,
                             const Route& route) const;

  pool::Exchange& exchange_;
  pool::Shard& shard_;
  obs::Metrics& metrics_;
  Placement& placement_;
  const pool::ReactorIndex relay_;
  std::map<std::pair<std::string, std::string>, Route*> by_name_;
  std::vector<std::unique_ptr<Route>> routes_;  // By pool.
  std::map<std::string, FoundLimits> limits_;   // By node.
};

}  // namespace pgweir::proxy

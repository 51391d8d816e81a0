#include "proxy/route.h"

#include <fmt/format.h>

#include <algorithm>

#include "obs/families.h"
#include "proxy/catalog.h"

namespace pgweir::proxy {
namespace {

RouteMetrics add_metrics(obs::Metrics& metrics, const std::string& pool) {
  return {.clients = metrics.add_gauge(obs::kClients, pool),
          .waiting = metrics.add_gauge(obs::kWaiting, pool),
          .idle = metrics.add_gauge(obs::kServers, pool, obs::kIdle),
          .leased = metrics.add_gauge(obs::kServers, pool, obs::kLeased),
          .connecting = metrics.add_gauge(obs::kServers, pool, obs::kConnecting),
          .closing = metrics.add_gauge(obs::kServers, pool, obs::kClosing),
          .lost = metrics.add_gauge(obs::kServers, pool, obs::kLost),
          .wait = metrics.add_histogram(obs::kWaitSeconds, pool),
          .hold = metrics.add_histogram(obs::kHoldSeconds, pool),
          .moved = metrics.add_counter(obs::kServerMoved, pool)};
}

// Who is on a route and on those before it, which have the same name for who looks from outside.
struct Crowd {
  void add(const Route& route, const pool::PoolCounts& counts, std::uint32_t waiting_clients) {
    clients += route.client_count;
    waiting += waiting_clients;
    idle += counts.idle;
    leased += counts.leased;
    connecting += counts.connecting;
    closing += counts.closing;
    lost += counts.lost;
  }
  void show(const RouteMetrics& metrics) const {
    metrics.clients.set(clients);
    metrics.waiting.set(waiting);
    metrics.idle.set(idle);
    metrics.leased.set(leased);
    metrics.connecting.set(connecting);
    metrics.closing.set(closing);
    metrics.lost.set(lost);
  }

  std::uint32_t clients = 0;
  std::uint32_t waiting = 0;
  std::uint32_t idle = 0;
  std::uint32_t leased = 0;
  std::uint32_t connecting = 0;
  std::uint32_t closing = 0;
  std::uint32_t lost = 0;
};

}  // namespace

std::string_view reported_value(const Route& route, std::string_view name) {
  for (const auto& [reported, value] : route.reported) {
    if (reported == name) return value;
  }
  return {};
}

bool change_reported(Route& route, std::string_view name, std::string_view value) {
  for (auto& [reported, now] : route.reported) {
    if (reported != name) continue;
    if (now == value) return false;
    now = value;
    return true;
  }
  route.reported.emplace_back(name, value);
  return true;
}

bool lead_alike(const ServerPlan& one, const ServerPlan& other) {
  return one.database.hosts == other.database.hosts && one.user == other.user &&
         one.server_database == other.server_database &&
         one.secret.is_equal(other.secret.reveal()) &&
         one.database.startup_parameters == other.database.startup_parameters;
}

std::string node_name(const DatabaseOptions& database) {
  const ServerAddress& first = database.hosts.front();
  return fmt::format("{}:{}", first.address.empty() ? first.host : first.address, first.port);
}

// The lengths behind the text make it one of a kind: "a/b" and "c" are not "a" and "b/c".
std::string pool_level_name(const std::string& database, const std::string& user,
                            const std::string& node, const ServerPlan& plan) {
  const std::string& entry = plan.database.name;
  return fmt::format("pool {}/{} {} {}/{} {} #{}.{}.{}.{}.{}", database, user, node,
                     plan.server_database, plan.user, entry, database.size(), user.size(),
                     node.size(), plan.server_database.size(), plan.user.size());
}

Routes::Routes(const RoutesWorld& world, const std::map<std::string, budget::Limits>& limits)
    : exchange_(world.exchange),
      shard_(world.shard),
      metrics_(world.metrics),
      placement_(world.placement),
      relay_(world.relay) {
  add_nodes(limits);
}

Route& Routes::find(const Options& options, const DatabaseOptions& database,
                    const std::string& name, const std::string& user, base::Instant now) {
  const auto known = by_name_.find({name, user});
  if (known != by_name_.end()) return *known->second;
  return add(options, database,
             std::unique_ptr<Route>(new Route{.database = name,
                                              .user = user,
                                              .node = {},
                                              .plan = make_plan(options, database, name, user),
                                              .metrics = add_metrics(metrics_, name + "/" + user)}),
             now);
}

Route& Routes::add(const Options& options, const DatabaseOptions& database,
                   std::unique_ptr<Route> route, base::Instant now) {
  const UserOptions& user = user_or_defaults(options, route->user);
  route->mode = pool_mode_of(options, database, user);
  route->node = node_name(database);
  route->server_level = exchange_.level(server_level_name(route->node), pool::kUnlimited);
  route->pool_level =
      exchange_.level(pool_level_name(route->database, route->user, route->node, *route->plan), 0);
  std::vector<pool::LevelId> levels{route->pool_level};
  for (const pool::LevelId set : configured_levels(options, database, *route))
    levels.push_back(set);
  for (const pool::LevelId found : found_levels(*route)) levels.push_back(found);
  levels.push_back(route->server_level);
  levels.push_back(exchange_.level(kProcessLevel, pool::kUnlimited));
  route->pool = shard_.add_pool({.name = route->database + "/" + route->user,
                                 .options = pool_options(database, user, *route),
                                 .levels = std::move(levels)},
                                now);
  ASSERT(base::index_of(route->pool) == routes_.size());
  by_name_[{route->database, route->user}] = route.get();
  routes_.push_back(std::move(route));
  return *routes_.back();
}

std::shared_ptr<const ServerPlan> Routes::make_plan(const Options& options,
                                                    const DatabaseOptions& database,
                                                    const std::string& name,
                                                    const std::string& user) {
  auto plan = std::make_shared<ServerPlan>();
  plan->database = database;
  plan->server_database = database.server_database.empty() ? name : database.server_database;
  plan->user = database.user.empty() ? user : database.user;
  plan->secret = database.password;
  if (plan->secret.empty()) {
    if (const UserOptions* known = find_user(options, plan->user)) plan->secret = known->secret;
  }
  return plan;
}

// Those whose limits are settings, with their limits as they are now.
std::vector<pool::LevelId> Routes::configured_levels(const Options& options,
                                                     const DatabaseOptions& database,
                                                     const Route& route) {
  const auto limit_of = [&](const std::string& user) {
    return user_or_defaults(options, user).server_count_max;
  };
  const std::string& role = route.plan->user;
  std::vector<pool::LevelId> levels{level_with("role " + route.node + " " + role, limit_of(role))};
  // A user whose servers log in as somebody else has a limit of its own all the same.
  if (role != route.user) levels.push_back(level_with("user " + route.user, limit_of(route.user)));
  levels.push_back(level_with("database " + database.name, database.server_count_max));
  return levels;
}

// Those whose limits are the server's own. The control thread's connection counts with them, too.
std::vector<pool::LevelId> Routes::found_levels(const Route& route) {
  const auto& [found, version] = limits_[route.node];
  const ServerPlan& plan = *route.plan;
  return {level_with(role_level_name(route.node, plan.user), found.of_role(plan.user), version),
          level_with(database_level_name(route.node, plan.server_database),
                     found.of_database(plan.server_database), version)};
}

Route* Routes::find_by_level(pool::LevelId pool_level) const {
  const auto at = std::find_if(routes_.rbegin(), routes_.rend(),
                               [&](const auto& route) { return route->pool_level == pool_level; });
  return at == routes_.rend() ? nullptr : at->get();
}

pool::LevelId Routes::level_with(const std::string& name, std::uint32_t limit,
                                 std::uint64_t version) {
  const pool::LevelId found = exchange_.level(name, limit);
  exchange_.set_limit(found, limit, version);
  return found;
}

// A minimum is its home's to keep, and what may be under way at a time is shared.
pool::Options Routes::pool_options(const DatabaseOptions& database, const UserOptions& user,
                                   const Route& route) const {
  pool::Options options = database.pool;
  if (placement_.home_of(route.database, route.user) != relay_) options.server_count_min = 0;
  options.login_parallel_max = std::max(1U, options.login_parallel_max / placement_.relay_count());
  if (user.pool_size) options.server_count_max = *user.pool_size;
  if (user.pool_reserve) options.server_count_reserve = *user.pool_reserve;
  if (user.wait_max) options.wait_max = *user.wait_max;
  return options;
}

void Routes::add_nodes(const std::map<std::string, budget::Limits>& limits) {
  for (const auto& [node, unseen] : limits) limits_.try_emplace(node, FoundLimits{unseen});
}

void Routes::set_limits(const std::string& node, const budget::Limits& limits,
                        std::uint64_t version, base::Instant now) {
  FoundLimits& known = limits_[node];
  if (version < known.version) return;
  known = {limits, version};
  level_with(server_level_name(node), limits.server, version);
  for (const auto& route : routes_) {
    if (route->node == node) found_levels(*route);
  }
  shard_.handle_limits_changed(now);
}

// Its clients are told and go (Departures).
void Routes::remove(Route& route, base::Instant now) {
  route.is_removed = true;
  close(route, now);
}

bool Routes::has_removed() const {
  return std::any_of(routes_.begin(), routes_.end(), [](const auto& route) {
    if (!route->is_removed) return false;
    // Clients of a predecessor may follow.
    const Route* at = route.get();
    while (at != nullptr && at->client_count == 0) at = at->predecessor;
    return at != nullptr;
  });
}

void Routes::close_all(base::Instant now) {
  for (const auto& route : routes_) close(*route, now);
}

// Nobody gets a server of it any more, and none is kept, nor opened for its minimum.
void Routes::close(const Route& route, base::Instant now) {
  pool::Options closed = shard_.options(route.pool);
  closed.server_count_min = 0;
  closed.server_idle_max = std::chrono::milliseconds(1);  // An errand may still be run on one.
  closed.waiter_count_max = 0;
  shard_.set_options(route.pool, closed, now);
  shard_.recycle(route.pool, now);
}

void Routes::set_options(const Options& options, base::Instant now) {
  const std::size_t count = routes_.size();  // Those that are added now are up to date.
  for (std::size_t i = 0; i < count; ++i) {
    Route& route = *routes_[i];
    const DatabaseOptions* database = find_database(options, route.database);
    if (database == nullptr) {
      if (route.successor == nullptr) remove(route, now);
      continue;
    }
    configured_levels(options, *database, route);
    found_levels(route);
    if (route.successor != nullptr) continue;
    auto plan = make_plan(options, *database, route.database, route.user);
    const bool has_moved = node_name(*database) != route.node || plan->user != route.plan->user ||
                           plan->server_database != route.plan->server_database ||
                           plan->database.name != route.plan->database.name;
    if (has_moved && routes_.size() < kRouteCountMax) {
      replace(route, options, *database, std::move(plan), now);
    } else {
      update(route, options, *database, std::move(plan), now);
    }
  }
}

void Routes::update(Route& route, const Options& options, const DatabaseOptions& database,
                    std::shared_ptr<const ServerPlan> plan, base::Instant now) {
  const bool is_same = lead_alike(*route.plan, *plan);
  const UserOptions& user = user_or_defaults(options, route.user);
  route.is_removed = false;
  route.plan = std::move(plan);
  route.mode = pool_mode_of(options, database, user);
  shard_.set_options(route.pool, pool_options(database, user, route), now);
  if (!is_same) shard_.recycle(route.pool, now);
}

// What the old servers have reported holds until the first new one has its say.
void Routes::replace(Route& old, const Options& options, const DatabaseOptions& database,
                     std::shared_ptr<const ServerPlan> plan, base::Instant now) {
  Route& route = add(options, database,
                     std::unique_ptr<Route>(new Route{.database = old.database,
                                                      .user = old.user,
                                                      .node = {},
                                                      .plan = std::move(plan),
                                                      .metrics = old.metrics,
                                                      .reported = old.reported,
                                                      .reported_at = old.reported_at,
                                                      .canonical = old.canonical,
                                                      .reads_sequences = old.reads_sequences,
                                                      .predecessor = &old}),
                     now);
  old.successor = &route;
  close(old, now);
}

void Routes::publish(const std::function<std::uint32_t(base::PoolId)>& waiting_clients) {
  for (const auto& route : routes_) {
    if (route->successor != nullptr) continue;
    Crowd crowd;
    for (const Route* part = route.get(); part != nullptr; part = part->predecessor)
      crowd.add(*part, shard_.counts(part->pool), waiting_clients(part->pool));
    crowd.show(route->metrics);
  }
}

}  // namespace pgweir::proxy

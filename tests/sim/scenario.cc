#include "sim/scenario.h"

#include <algorithm>

namespace pgweir::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// One seed of so many simulates a crowd.
constexpr std::uint64_t kSeedsPerCrowd = 50;
// Beyond the wait for a server, a first answer takes no longer than this.
constexpr base::Duration kAnswering = milliseconds(500);

std::size_t between(base::Rng& rng, std::size_t from, std::size_t to) {
  return from + static_cast<std::size_t>(rng.below(to - from + 1));
}

pool::Options draw_pool(base::Rng& rng) {
  pool::Options pool;
  pool.wait_max = seconds(120);
  if (rng.chance(0.2)) pool.wait_max = milliseconds(20);
  if (rng.chance(0.3)) pool.server_count_max = static_cast<std::uint32_t>(between(rng, 1, 4));
  if (rng.chance(0.2)) pool.server_count_min = static_cast<std::uint32_t>(between(rng, 1, 2));
  if (rng.chance(0.3)) pool.server_lifetime = milliseconds(between(rng, 20, 2000));
  if (rng.chance(0.3)) pool.server_idle_max = milliseconds(between(rng, 5, 2000));
  if (rng.chance(0.1)) pool.waiter_count_max = static_cast<std::uint32_t>(between(rng, 0, 5));
  if (rng.chance(0.3)) pool.login_parallel_max = 1;
  pool.server_count_min = std::min(pool.server_count_min, pool.server_count_max);
  // A minimum is replaced as soon as it expires, for ever: not too often.
  if (pool.server_count_min != 0) pool.server_lifetime = seconds(between(rng, 1, 5));
  return pool;
}

proxy::DatabaseOptions draw_database(base::Rng& rng, std::size_t index, std::size_t node) {
  proxy::DatabaseOptions database;
  database.name = "db" + std::to_string(index);
  database.hosts.emplace_back().host = address_of_node(node);
  database.tls.mode = proxy::SslMode::Disable;
  database.pool = draw_pool(rng);
  if (rng.chance(0.2)) database.server_count_max = static_cast<std::uint32_t>(between(rng, 1, 4));
  if (rng.chance(0.1)) database.pool_mode = proxy::PoolMode::Session;
  return database;
}

void draw_limits(base::Rng& rng, proxy::Options& options) {
  const std::uint32_t statements[] = {200, 200, 2, 0};
  options.statements_per_server_max = statements[rng.below(4)];
  if (rng.chance(0.2)) options.idle_transaction_timeout = seconds(1);
  if (rng.chance(0.3)) options.is_idle_timeout_eager = true;
  if (rng.chance(0.2)) options.discard_bytes_max = 1000;
  if (rng.chance(0.1)) options.has_reset_always = true;
}

proxy::Options draw_options(base::Rng& rng, std::size_t node_count) {
  proxy::Options options;
  const std::size_t database_count = between(rng, 1, 3);
  for (std::size_t i = 0; i < database_count; ++i) {
    options.databases.push_back(draw_database(rng, i, i % node_count));
  }
  for (const char* name : {"ann", "bob"}) {
    proxy::UserOptions user;
    user.name = name;
    user.secret = base::Secret("swordfish");
    if (rng.chance(0.1)) user.server_count_max = static_cast<std::uint32_t>(between(rng, 1, 4));
    options.users.push_back(std::move(user));
  }
  options.auth_method = rng.chance(0.2) ? proxy::AuthMethod::ScramSha256 : proxy::AuthMethod::Trust;
  if (rng.chance(0.1)) options.pool_mode = proxy::PoolMode::Session;
  draw_limits(rng, options);
  return options;
}

ClientRules draw_rules(base::Rng& rng, const FaultPlan& faults, const proxy::Options& options) {
  ClientRules rules;
  rules.may_lose_servers = faults.may_lose_servers();
  rules.may_be_refused = rules.may_lose_servers;
  rules.may_be_cut = faults.partial_send > 0 || faults.small_buffer > 0 || faults.slow_reader > 0;
  rules.may_idle_too_long = options.idle_transaction_timeout <= seconds(1);
  rules.is_idling_ended =
      rules.may_idle_too_long && options.is_idle_timeout_eager && faults.stall == 0;
  for (const proxy::DatabaseOptions& database : options.databases) {
    // The minimum of one pool is not closed for another, which may then wait in vain.
    const bool may_starve = database.pool.server_count_min != 0;
    if (may_starve || database.pool.wait_max < seconds(120) ||
        database.pool.waiter_count_max < 100) {
      rules.may_be_refused = true;
    }
  }
  rules.units_max = between(rng, 4, 16);
  for (double& weight : rules.weights) weight = rng.chance(0.5) ? 1.0 : 0.0;
  rules.weights[0] += 0.1;
  return rules;
}

// Reactors are seldom in step, and some not at all.
void draw_stops(base::Rng& rng, Scenario& scenario) {
  const double stops[] = {0, 0.01, 0.05, 0.2};
  scenario.stops = stops[rng.below(4)];
  const std::uint64_t longest[] = {5, 50, 300};
  scenario.stop_max = std::chrono::microseconds(longest[rng.below(3)]);
}

// Many clients that ask for the same again and again, and few servers.
Scenario draw_crowd(base::Rng& rng) {
  Scenario crowd;
  crowd.is_crowd = true;
  if (rng.chance(0.7)) {
    crowd.relay_count = 3 + static_cast<std::uint32_t>(rng.below(2));
    draw_stops(rng, crowd);
    crowd.stop_max = std::min<base::Duration>(crowd.stop_max, std::chrono::microseconds(50));
  }
  const bool is_alone = crowd.relay_count == 1;
  crowd.server_limit =
      static_cast<std::uint32_t>(is_alone ? between(rng, 1, 2) : between(rng, 2, 5));
  crowd.connection_count_max = crowd.server_limit;
  crowd.client_count = is_alone ? between(rng, 8, 14) : between(rng, 16, 24);
  crowd.duration = seconds(1);
  crowd.rules.weights[0] = 1;  // Simple queries only.
  crowd.rules.units_min = crowd.rules.units_max = 1'000'000;
  crowd.rules.lives_max = 1;
  crowd.rules.dawdles = 0;  // All ask as often.
  // Servers begin with what was asked, and with no SET before it.
  crowd.rules.has_parameters = false;
  crowd.options.auth_method = proxy::AuthMethod::Any;
  proxy::DatabaseOptions& database = crowd.options.databases.emplace_back();
  database.name = "db0";
  database.hosts.emplace_back().host = address_of_node(0);
  database.tls.mode = proxy::SslMode::Disable;
  return crowd;
}

// Beside the named entries, which a reload may take away: their clients go there then.
void add_fallback(base::Rng& rng, Scenario& scenario) {
  scenario.has_fallback = true;
  auto& databases = scenario.options.databases;
  databases.push_back(draw_database(rng, 0, rng.below(scenario.node_count)));
  databases.back().name = "*";
  for (proxy::DatabaseOptions& database : databases) database.pool_mode.reset();
}

void draw_reloads(base::Rng& rng, Scenario& scenario) {
  scenario.reloads = true;
  if (rng.chance(0.5)) scenario.node_count = 2;
  scenario.rules.may_be_refused = true;
  scenario.rules.may_idle_too_long = true;
  scenario.rules.is_idling_ended = false;
  if (rng.chance(0.5)) add_fallback(rng, scenario);
}

// Whenever pgweir is told to end, long answers are on their way.
void draw_slow_readers(Scenario& scenario) {
  scenario.faults.slow_reader = scenario.faults.small_buffer = 0.7;
  scenario.rules.may_be_cut = true;
  scenario.rules.weights[8] = 1;  // Many rows.
  scenario.rules.units_min = scenario.rules.units_max = 1000;
}

void draw_drain(base::Rng& rng, Scenario& scenario) {
  scenario.drains_after = milliseconds(between(rng, 20, 2000));
  const std::uint64_t patience[] = {1, 20, 200, 2000};
  scenario.options.shutdown_timeout = milliseconds(patience[rng.below(4)]);
  if (rng.chance(0.5)) draw_slow_readers(scenario);
  if (!rng.chance(0.3)) return;
  scenario.drains_at_once_after = *scenario.drains_after + milliseconds(between(rng, 0, 1000));
}

// Several reactors in every second seed, mostly three or more.
void draw_relays(base::Rng& rng, Scenario& scenario) {
  if (rng.chance(0.3)) scenario.servers_per_relay = 3;
  if (!rng.chance(0.5)) return;
  scenario.relay_count = rng.chance(0.2) ? 2 : 3 + static_cast<std::uint32_t>(rng.below(2));
  draw_stops(rng, scenario);
  if (rng.chance(0.3)) scenario.faults.lose_given = 0.1;
  if (scenario.faults.may_lose_servers())
    scenario.rules.may_lose_servers = scenario.rules.may_be_refused = true;
}

// All servers of an entry log in as one role, whoever the client is.
void draw_roles(base::Rng& rng, proxy::Options& options) {
  for (proxy::DatabaseOptions& database : options.databases) {
    if (!rng.chance(0.1)) continue;
    database.user = "svc";
    database.password = base::Secret("swordfish");
  }
}

}  // namespace

std::string address_of_node(std::size_t index) { return "10.0.0." + std::to_string(index + 1); }

std::string database_asked_of(const proxy::DatabaseOptions& entry) {
  return entry.name == "*" ? "other" : entry.name;
}

ClientRules Scenario::rules_for(const proxy::DatabaseOptions& database) const {
  ClientRules own = rules;
  const bool is_prompt =
      !reloads && !faults.may_lose_servers() && database.pool.wait_max < seconds(1);
  const proxy::PoolMode mode = database.pool_mode.value_or(options.pool_mode);
  own.keeps_server = mode == proxy::PoolMode::Session;
  own.may_keep_names = reloads || options.statements_per_server_max == 0;
  if (is_prompt) own.answer_max = database.pool.wait_max + kAnswering;
  return own;
}

proxy::Options Scenario::redraw_options(base::Rng& rng) const {
  proxy::Options fresh = options;
  draw_limits(rng, fresh);
  for (proxy::UserOptions& user : fresh.users) {
    user.server_count_max =
        rng.chance(0.3) ? static_cast<std::uint32_t>(between(rng, 1, 4)) : pool::kUnlimited;
  }
  for (proxy::DatabaseOptions& database : fresh.databases) {
    database.pool = draw_pool(rng);
    database.server_count_max =
        rng.chance(0.3) ? static_cast<std::uint32_t>(between(rng, 1, 4)) : pool::kUnlimited;
    database.hosts.front().host = address_of_node(rng.below(node_count));
  }
  std::erase_if(fresh.databases, [&](const auto&) { return rng.chance(0.2); });
  return fresh;
}

Scenario Scenario::draw(std::uint64_t seed) {
  base::Rng rng(seed ^ 0x5ce0a210U);
  if (seed % kSeedsPerCrowd == 0) return draw_crowd(rng);
  Scenario scenario;
  scenario.faults = FaultPlan::draw(rng);
  scenario.node_count = rng.chance(0.2) ? 2 : 1;
  scenario.options = draw_options(rng, scenario.node_count);
  scenario.rules = draw_rules(rng, scenario.faults, scenario.options);
  scenario.server_limit = static_cast<std::uint32_t>(between(rng, 1, 6));
  scenario.connection_count_max = scenario.server_limit;
  scenario.client_count = between(rng, 2, 12);
  scenario.changes_limit = rng.chance(0.1);
  if (scenario.changes_limit) scenario.rules.may_be_refused = true;
  if (rng.chance(0.1)) draw_drain(rng, scenario);
  if (rng.chance(0.1)) draw_reloads(rng, scenario);
  scenario.rules.reads_apart = rng.chance(0.3);
  scenario.rules.is_odd = rng.chance(0.3);
  scenario.has_muttering_servers = rng.chance(0.3);
  draw_relays(rng, scenario);
  draw_roles(rng, scenario.options);
  if (!scenario.changes_limit && rng.chance(0.1))
    scenario.first_server_limit =
        static_cast<std::uint32_t>(between(rng, 1, scenario.server_limit));
  return scenario;
}

}  // namespace pgweir::sim

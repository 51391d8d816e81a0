#include "sim/simulation.h"

#include <algorithm>

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// How long clients may take to finish once nothing goes wrong any more: what was stalled, lost or
// refused before has its timeouts first.
constexpr base::Duration kPatience = seconds(600);
// And how long until the last end of a server has been seen, or believed when it was lost.
constexpr base::Duration kSettling = seconds(15);
constexpr base::Duration kSettlingOfLost = seconds(200);

}  // namespace

Simulation::Simulation(std::uint64_t seed, Scenario scenario, bool is_verbose)
    : scenario_(std::move(scenario)),
      has_errands_(seed % 4 == 3),
      world_(seed, is_verbose),
      log_(*this, {.now = [this] { return world_.now(); }},
           {.level = is_verbose ? obs::Level::Debug : obs::Level::Error},
           {.window = base::Duration::zero()}),
      options_(std::make_shared<proxy::Options>(scenario_.options)),
      login_io_(world_, *this, false),
      relay_io_(world_, *this, true),
      login_(login_io_, entropy_, log_, counts_, options_, {}),
      relay_({.io = relay_io_,
              .entropy = entropy_,
              .log = log_,
              .metrics = metrics_,
              .counts = counts_,
              .exchange = exchange_,
              .seed = seed,
              .levels = add_node_levels()},
             options_) {
  world_.faults = scenario_.faults;
  login_io_.attach(login_);
  relay_io_.attach(relay_);
  for (std::size_t i = 0; i < scenario_.node_count; ++i) {
    nodes_.push_back(std::make_unique<Postgres>(
        world_, ledger_, passwords_,
        PostgresOptions{
            .address = address_of_node(i),
            .connection_count_max = scenario_.connection_count_max,
            .asks_password = scenario_.options.auth_method == proxy::AuthMethod::ScramSha256}));
  }
}

// Hooks and owners hold each other: what is still connected is taken apart.
Simulation::~Simulation() {
  world_.faults = FaultPlan::none();
  for (const auto& node : nodes_) node->crash(true);
}

std::map<std::string, pool::LevelId> Simulation::add_node_levels() {
  std::map<std::string, pool::LevelId> levels;
  for (std::size_t i = 0; i < scenario_.node_count; ++i) {
    const std::string node = address_of_node(i) + ":5432";
    const std::string name = proxy::server_level_name(node);
    levels.emplace(name, exchange_.add_level(name, scenario_.server_limit));
  }
  return levels;
}

void Simulation::start_clients() {
  const auto& databases = scenario_.options.databases;
  for (std::size_t i = 0; i < scenario_.client_count; ++i) {
    const proxy::DatabaseOptions& database = databases[i % databases.size()];
    clients_.push_back(std::make_shared<Client>(static_cast<Door&>(*this),
                                                scenario_.rules_for(database), database.name,
                                                world_.chance(0.6) ? "ann" : "bob"));
    clients_.back()->start();
  }
}

Outcome Simulation::run() {
  start_clients();
  disturb_every_second();
  if (has_errands_) ask_every_second();
  run_until(world_.now() + scenario_.duration);
  if (scenario_.is_crowd) check_shares();

  world_.say("epilogue: nothing goes wrong any more");
  is_epilogue_ = true;
  world_.faults = FaultPlan::none();
  if (scenario_.changes_limit) move_limit();
  for (const auto& client : clients_) client->wind_down();
  const base::Instant end = world_.now() + kPatience;
  while (!is_everybody_done() && world_.now() < end) run_until(world_.now() + milliseconds(200));
  for (const auto& client : clients_) {
    if (!client->is_done()) fail(client->describe() + " was never answered");
  }
  run_until(world_.now() + (scenario_.faults.may_lose_servers() ? kSettlingOfLost : kSettling));
  check_epilogue();

  Outcome outcome{.event_count = event_count_};
  for (const auto& client : clients_) {
    outcome.answered_count += client->answered_count();
    outcome.answered_by_client.push_back(client->answered_count());
  }
  return outcome;
}

void Simulation::run_until(base::Instant end) {
  while (world_.step(end)) {
    ++event_count_;
    check_step();
  }
}

bool Simulation::is_everybody_done() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->is_done(); });
}

// Whoever asks as often as everybody else is served as often: first come, first served.
void Simulation::check_shares() const {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> shares;  // Least and most.
  for (const auto& client : clients_) {
    const std::uint64_t count = client->answered_count();
    auto& [least, most] =
        shares.try_emplace(client->database() + "/" + client->user(), count, count).first->second;
    least = std::min(least, count);
    most = std::max(most, count);
  }
  for (const auto& [pool, share] : shares) {
    if (share.first * 2 >= share.second) continue;
    fail("pool " + pool + ": one client got " + std::to_string(share.first) +
         " answers, another one " + std::to_string(share.second));
  }
}

void Simulation::check_step() {
  relay_.check_invariants();
  if (const std::string problem = find_wrong_permits(false); !problem.empty()) fail(problem);
}

// Each backend that holds a slot has a permit of every level that it counts for.
std::string Simulation::find_wrong_permits(bool are_all_back) const {
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    const pool::LevelId level{i};
    const std::uint32_t taken = exchange_.taken(level);
    const std::string name = exchange_.name(level);
    if ((are_all_back || !scenario_.changes_limit) && taken > exchange_.limit(level)) {
      return "level \"" + name + "\" has more permits out than its limit";
    }
    std::size_t alive = 0;
    for (const auto& node : nodes_) alive += backends_of(*node, name);
    if (alive > taken || (are_all_back && alive != taken)) {
      return "level \"" + name + "\": " + std::to_string(alive) + " backends, " +
             std::to_string(taken) + " permits out";
    }
  }
  return {};
}

// Those that count for a level: "server NODE", "role NODE USER", "database NAME", "pool NAME/USER".
std::size_t Simulation::backends_of(const Postgres& node, std::string_view level) {
  const std::size_t space = level.find(' ');
  const std::string_view kind = level.substr(0, space);
  const std::string_view rest = level.substr(space + 1);
  const std::string name = node.address() + ":5432";
  if (kind == proxy::kProcessLevel) return node.backend_count();
  if (kind == "server") return rest == name ? node.backend_count() : 0;
  if (kind == "role") {
    return rest.starts_with(name + " ") ? node.backend_count(rest.substr(name.size() + 1), {}) : 0;
  }
  if (kind == "database") return node.backend_count({}, rest);
  const std::size_t slash = rest.find('/');
  return node.backend_count(rest.substr(slash + 1), rest.substr(0, slash));
}

// What is not as it must be when nobody is there any more; empty if all is well.
std::string Simulation::find_unsettled() const {
  const proxy::RelayCounts counts = relay_.counts();
  if (!errands_.empty()) return "an errand was never answered";
  if (counts.clients != 0) return "clients that have left are still counted";
  if (counts.waiting != 0) return "somebody waits though nobody is there";
  if (counts.in_use != 0) return "a server is lent though nobody is there";
  if (counts_.client_count != 0) return "the shared count of clients is not zero";
  if (login_.party_count() != 0) return "a login never ended";
  std::size_t alive = 0;
  for (const auto& node : nodes_) {
    std::string why;
    if (!node->is_at_rest(why)) return why;
    alive += node->backend_count();
    if (node->refused_count() != 0) return "PostgreSQL has refused a connection with 53300";
  }
  if (counts.open != alive || relay_io_.open_count() != alive) {
    return "the relay counts " + std::to_string(counts.open) + " servers and has " +
           std::to_string(relay_io_.open_count()) + " connections, but " + std::to_string(alive) +
           " backends are alive";
  }
  if (std::string problem = find_wrong_permits(true); !problem.empty()) return problem;
  return find_useless();
}

// Servers that nobody has needed for longer than their pool keeps them.
std::string Simulation::find_useless() const {
  for (const proxy::DatabaseOptions& database : scenario_.options.databases) {
    // A server that is replaced before its time is up begins to rest anew.
    const base::Duration lifetime = database.pool.server_lifetime / 2;
    if (database.pool.server_idle_max >= std::min(kSettling, lifetime)) continue;
    for (const proxy::UserOptions& user : scenario_.options.users) {
      std::size_t count = 0;
      for (const auto& node : nodes_) count += node->backend_count(user.name, database.name);
      if (count <= database.pool.server_count_min) continue;
      return "pool " + database.name + "/" + user.name + " keeps " + std::to_string(count) +
             " servers beyond server_idle_max";
    }
  }
  return {};
}

// Servers whose lifetime ends are replaced even now, so that a single look may come in between.
void Simulation::check_epilogue() {
  std::string problem = find_unsettled();
  for (int i = 0; i < 1000 && !problem.empty(); ++i) {
    run_until(world_.now() + milliseconds(10));
    problem = find_unsettled();
  }
  if (!problem.empty()) fail(problem);
}

bool Simulation::connect(const base::Endpoint& endpoint, const std::shared_ptr<Link>& link) {
  for (const auto& node : nodes_) {
    if (node->address() == endpoint.address) return node->accept(link);
  }
  return false;
}

void Simulation::enter(const std::shared_ptr<Link>& link) {
  login_io_.accept(link, {.text = "192.0.2.1:" + std::to_string(last_number_)});
}

// Parcels to one part arrive in the order in which they were sent.
void Simulation::post(base::Mailbox to, std::shared_ptr<Link> link,
                      std::unique_ptr<base::Parcel> parcel) {
  base::Duration delay = world_.between(microseconds(1), microseconds(50));
  if (world_.chance(world_.faults.delay)) delay += world_.between(microseconds(1), milliseconds(5));
  base::Instant& arrives_at = mail_arrives_at_[static_cast<std::size_t>(to)];
  arrives_at = std::max(arrives_at, world_.now() + delay);
  auto held = std::make_shared<std::unique_ptr<base::Parcel>>(std::move(parcel));
  world_.at(arrives_at, [this, to, link = std::move(link), held] {
    switch (to) {
      case base::Mailbox::Login: login_io_.deliver(link, std::move(*held)); return;
      case base::Mailbox::Relay: relay_io_.deliver(link, std::move(*held)); return;
      case base::Mailbox::Control: handle_control_parcel(std::move(*held)); return;
    }
  });
}

void Simulation::handle_control_parcel(std::unique_ptr<base::Parcel> parcel) {
  if (const auto* lost = dynamic_cast<const proxy::ServerLost*>(parcel.get())) {
    look_for_lost(*lost);
  } else if (const auto* done = dynamic_cast<const proxy::ErrandDone*>(parcel.get())) {
    take_answer(*done);
  }
}

// As the control thread without a connection of its own: what a pool's server is asked is answered
// in time, once, and by its own row; the ledger sees to it that no client reads any of it.
void Simulation::ask_every_second() {
  for (const auto& [id, due] : errands_) {
    if (world_.now() > due) fail("an errand was not answered in time");
  }
  world_.after(seconds(1), [this] {
    if (is_epilogue_) return;
    for (const proxy::DatabaseOptions& database : scenario_.options.databases) {
      auto errand = std::make_unique<proxy::RunErrand>();
      errand->id = proxy::ErrandId{++last_errand_};
      errand->database = database.name;
      errand->user = last_errand_ % 2 == 0 ? "ann" : "bob";
      errand->sql = "SELECT errand";
      errand->time_max = seconds(5);
      errands_[errand->id] = world_.now() + seconds(7);
      post(base::Mailbox::Relay, nullptr, std::move(errand));
    }
    ask_every_second();
  });
}

void Simulation::take_answer(const proxy::ErrandDone& done) {
  if (errands_.erase(done.id) == 0) fail("an errand was answered twice");
  if (!done.failure && !done.is_crowded_out && done.rows.size() != 1) {
    fail("an errand of one row was answered by " + std::to_string(done.rows.size()));
  }
}

// As the control thread: asks the server every second whether it still has this backend.
void Simulation::look_for_lost(const proxy::ServerLost& lost) {
  world_.after(seconds(1), [this, token = lost.token, pid = lost.pid, name = lost.node] {
    const bool is_there = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      return node->address() + ":5432" == name && node->has_backend(pid);
    });
    if (is_there) {
      proxy::ServerLost again;
      again.token = token;
      again.pid = pid;
      again.node = name;
      look_for_lost(again);
      return;
    }
    auto gone = std::make_unique<proxy::ServerGone>();
    gone->token = token;
    post(base::Mailbox::Relay, nullptr, std::move(gone));
  });
}

void Simulation::disturb_every_second() {
  world_.after(world_.between(milliseconds(1), seconds(1)), [this] {
    if (is_epilogue_) return;
    for (const auto& node : nodes_) {
      if (world_.chance(world_.faults.crash)) node->crash(world_.chance(0.5));
      if (world_.chance(world_.faults.kill_backend)) node->terminate_one();
    }
    if (scenario_.changes_limit) move_limit();
    disturb_every_second();
  });
}

void Simulation::move_limit() {
  auto changed = std::make_unique<proxy::LimitChanged>();
  changed->node = address_of_node(world_.rng().below(scenario_.node_count)) + ":5432";
  changed->server_limit =
      static_cast<std::uint32_t>(world_.between(std::size_t{1}, scenario_.server_limit));
  post(base::Mailbox::Relay, nullptr, std::move(changed));
}

void Simulation::write(obs::Level, std::string_view line) { world_.say("  " + std::string(line)); }

Outcome simulate(std::uint64_t seed, bool is_verbose) {
  Simulation simulation(seed, Scenario::draw(seed), is_verbose);
  return simulation.run();
}

}  // namespace pgweir::sim

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
// And how long until the last end of a server is believed that was lost.
constexpr base::Duration kSettlingOfLost = seconds(200);

// From the last transaction's end: two looks at what takes too long, and a second for the servers.
constexpr base::Duration kEnding = milliseconds(2200);

}  // namespace

Simulation::Simulation(std::uint64_t seed, Scenario scenario, bool is_verbose)
    : seed_(seed),
      scenario_(std::move(scenario)),
      has_errands_(seed % 4 == 3),
      world_(seed, is_verbose),
      log_(*this, {.now = [this] { return world_.now(); }},
           {.level = is_verbose ? obs::Level::Debug : obs::Level::Error},
           {.window = base::Duration::zero()}),
      exchange_(scenario_.relay_count, scenario_.relay_count),
      placement_(exchange_, scenario_.relay_count, scenario_.servers_per_relay),
      options_(std::make_shared<proxy::Options>(scenario_.options)),
      login_io_(world_, *this, false),
      login_(login_io_, entropy_, log_, counts_, placement_, options_, {}),
      mail_arrives_at_(2 + scenario_.relay_count) {
  world_.faults = scenario_.faults;
  running = this;
  pool::HookedYield::hook = &Simulation::yield;
  login_io_.attach(login_);
  add_node_levels();
  make_relays();
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
  for (const Reactor& reactor : reactors_) reactor.io->turns().finish();
  pool::HookedYield::hook = nullptr;
  running = nullptr;
  world_.faults = FaultPlan::none();
  for (const auto& node : nodes_) node->crash(true);
}

void Simulation::add_node_levels() {
  for (std::size_t i = 0; i < scenario_.node_count; ++i) {
    const std::string node = address_of_node(i) + ":5432";
    exchange_.level(proxy::server_level_name(node),
                    scenario_.first_server_limit.value_or(scenario_.server_limit));
  }
}

void Simulation::make_relays() {
  Surroundings& surroundings = *this;
  for (std::uint32_t i = 0; i < scenario_.relay_count; ++i) {
    Reactor& reactor = reactors_.emplace_back();
    reactor.io = std::make_unique<SimIo>(world_, surroundings, true, scenario_.stops > 0);
    reactor.relay = std::make_unique<proxy::Relay>(proxy::RelayWorld{.io = *reactor.io,
                                                                     .entropy = entropy_,
                                                                     .log = log_,
                                                                     .metrics = metrics_,
                                                                     .counts = counts_,
                                                                     .exchange = exchange_,
                                                                     .placement = placement_,
                                                                     .index = i,
                                                                     .seed = seed_ + i},
                                                   options_);
    reactor.io->attach(*reactor.relay);
  }
}

// A reactor is about to touch what it shares with the others: they may go first.
void Simulation::yield() {
  Turns* turns = Turns::current();
  if (turns == nullptr) return;
  Simulation& self = *running;
  pool::HookedYield::hook = nullptr;  // The check looks there, too.
  self.check_limits();
  pool::HookedYield::hook = &Simulation::yield;
  if (self.is_epilogue_ || !self.world_.chance(self.scenario_.stops)) return;
  ++self.stop_count_;
  turns->stop_for(self.world_.between(base::Duration::zero(), self.scenario_.stop_max));
}

proxy::RelayCounts Simulation::relay_counts() const {
  proxy::RelayCounts sum;
  for (const Reactor& reactor : reactors_) {
    const proxy::RelayCounts counts = reactor.relay->counts();
    sum.open += counts.open;
    sum.in_use += counts.in_use;
    sum.waiting += counts.waiting;
    sum.clients += counts.clients;
  }
  return sum;
}

std::size_t Simulation::relay_connection_count() const {
  std::size_t count = 0;
  for (const Reactor& reactor : reactors_) count += reactor.io->open_count();
  return count;
}

void Simulation::start_clients() {
  const auto& databases = scenario_.options.databases;
  for (std::size_t i = 0; i < scenario_.client_count; ++i) {
    const proxy::DatabaseOptions& database = databases[i % databases.size()];
    clients_.push_back(
        std::make_shared<Client>(static_cast<Door&>(*this), scenario_.rules_for(database),
                                 database_asked_of(database), world_.chance(0.6) ? "ann" : "bob"));
    clients_.back()->start();
  }
}

Outcome Simulation::run() {
  start_clients();
  if (scenario_.first_server_limit) find_limits_soon();
  disturb_every_second();
  if (scenario_.has_muttering_servers) mutter_now_and_then();
  if (has_errands_) ask_every_second();
  if (scenario_.is_crowd) expect_order();
  watch_waiting();
  if (scenario_.drains_after) {
    finish_draining();
  } else {
    finish();
  }
  Outcome outcome{.event_count = event_count_, .stop_count = stop_count_};
  for (const auto& client : clients_) {
    outcome.answered_count += client->answered_count();
    outcome.answered_by_client.push_back(client->answered_count());
  }
  if (arrivals_) outcome.worst_overtaking = arrivals_->worst();
  return outcome;
}

void Simulation::finish() {
  run_until(world_.now() + scenario_.duration);
  if (scenario_.is_crowd) check_shares();
  world_.say("epilogue: nothing goes wrong any more");
  is_epilogue_ = true;
  world_.faults = FaultPlan::none();
  if (scenario_.changes_limit) move_limit();
  if (scenario_.reloads) reload();
  for (const auto& client : clients_) client->wind_down();
  await_clients();
  check_last_words();
  run_until(world_.now() + (scenario_.faults.may_lose_servers() ? kSettlingOfLost : kSettling));
  check_epilogue();
}

// Whatever goes wrong meanwhile, it ends in time, and so does every connection.
void Simulation::finish_draining() {
  const base::Instant start = world_.now();
  run_until(start + *scenario_.drains_after);
  drain(false);
  if (scenario_.drains_at_once_after) {
    run_until(start + *scenario_.drains_at_once_after);
    if (!has_drained_) drain(true);
  }
  run_until(*cuts_at_ + kEnding);
  if (!has_drained_) fail("pgweir does not end in time");

  world_.faults = FaultPlan::none();
  await_clients();
  run_until(world_.now() + kSettling);
  for (const auto& node : nodes_) {
    if (node->backend_count() != 0) fail("a backend of " + node->address() + " never ended");
  }
}

void Simulation::await_clients() {
  const base::Instant end = world_.now() + kPatience;
  while (!is_everybody_done() && world_.now() < end) run_until(world_.now() + milliseconds(200));
  for (const auto& client : clients_) {
    if (!client->is_done()) fail(client->describe() + " was never answered");
  }
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

bool Simulation::is_anybody_busy() const {
  return std::any_of(reactors_.begin(), reactors_.end(),
                     [](const Reactor& reactor) { return reactor.io->turns().is_busy(); });
}

bool Simulation::connect(const base::Endpoint& endpoint, const std::shared_ptr<Link>& link) {
  for (const auto& node : nodes_) {
    if (node->address() == endpoint.address) return node->accept(link);
  }
  return false;
}

void Simulation::enter(const std::shared_ptr<Link>& link) {
  if (cuts_at_) {
    link->was_reset = true;
    return link->reset();
  }
  login_io_.accept(link, {.text = "192.0.2.1:" + std::to_string(last_number_)});
}

// Parcels to one part arrive in the order in which they were sent.
void Simulation::post(base::Mailbox to, std::shared_ptr<Link> link,
                      std::unique_ptr<base::Parcel> parcel) {
  base::Duration delay = world_.between(microseconds(1), microseconds(50));
  if (world_.chance(world_.faults.delay)) delay += world_.between(microseconds(1), milliseconds(5));
  base::Instant& arrives_at = arrival_at(to);
  arrives_at = std::max(arrives_at, world_.now() + delay);
  lose_on_the_way(*parcel);
  auto held = std::make_shared<std::unique_ptr<base::Parcel>>(std::move(parcel));
  world_.at(arrives_at, [this, to, link = std::move(link), held] {
    switch (to.part) {
      case base::Mailbox::Part::Login: login_io_.deliver(link, std::move(*held)); return;
      case base::Mailbox::Part::Relay:
        reactors_[to.index].io->deliver(link, std::move(*held));
        return;
      case base::Mailbox::Part::Control: handle_control_parcel(std::move(*held)); return;
    }
  });
}

// A server that goes from one reactor to another hears of nobody until it is there.
void Simulation::lose_on_the_way(const base::Parcel& parcel) {
  const auto* given = dynamic_cast<const proxy::ServerGiven*>(&parcel);
  if (given == nullptr || !world_.chance(world_.faults.lose_given)) return;
  const bool is_abrupt = world_.chance(0.3);
  world_.after(world_.between(microseconds(0), microseconds(20)),
               [this, address = given->endpoint.address, pid = given->cancel_key.pid, is_abrupt] {
                 for (const auto& node : nodes_)
                   if (node->address() == address) node->end(pid, is_abrupt);
               });
}

base::Instant& Simulation::arrival_at(base::Mailbox to) {
  switch (to.part) {
    case base::Mailbox::Part::Login: return mail_arrives_at_[0];
    case base::Mailbox::Part::Control: return mail_arrives_at_[1];
    case base::Mailbox::Part::Relay: break;
  }
  return mail_arrives_at_[2 + to.index];
}

void Simulation::disturb_every_second() {
  world_.after(world_.between(milliseconds(1), seconds(1)), [this] {
    if (is_epilogue_) return;
    for (const auto& node : nodes_) {
      if (world_.chance(world_.faults.crash)) node->crash(world_.chance(0.5));
      if (world_.chance(world_.faults.kill_backend)) node->terminate_one();
    }
    if (scenario_.changes_limit) move_limit();
    if (scenario_.reloads) reload();
    disturb_every_second();
  });
}

void Simulation::mutter_now_and_then() {
  world_.after(world_.between(microseconds(100), milliseconds(20)), [this] {
    if (is_epilogue_) return;
    for (const auto& node : nodes_) node->mutter();
    mutter_now_and_then();
  });
}

void Simulation::write(obs::Level, std::string_view line) { world_.say("  " + std::string(line)); }

Outcome simulate(std::uint64_t seed, bool is_verbose) {
  Simulation simulation(seed, Scenario::draw(seed), is_verbose);
  return simulation.run();
}

}  // namespace pgweir::sim

// What the daemon would do: its control thread, and whoever sends it a signal.
#include <algorithm>

#include "proxy/catalog.h"
#include "sim/simulation.h"

namespace pgweir::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void Simulation::handle_control_parcel(std::unique_ptr<base::Parcel> parcel) {
  if (const auto* lost = dynamic_cast<const proxy::ServerLost*>(parcel.get())) {
    look_for_lost(*lost);
  } else if (const auto* done = dynamic_cast<const proxy::ErrandDone*>(parcel.get())) {
    take_answer(*done);
  } else if (const auto* drained = dynamic_cast<const proxy::Drained*>(parcel.get())) {
    take_drained(*drained);
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
      if (database.name == "*") continue;
      errand->database = database.name;
      errand->user = !database.user.empty() ? database.user : last_errand_ % 2 == 0 ? "ann" : "bob";
      errand->sql = "SELECT errand";
      errand->time_max = seconds(5);
      errands_[errand->id] = world_.now() + seconds(7);
      const auto home = placement_.home_of(errand->database, errand->user);
      post(base::Mailbox::relay(home), nullptr, std::move(errand));
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
    post(proxy::mailbox_of(token), nullptr, std::move(gone));
  });
}

void Simulation::move_limit() {
  const std::string node = address_of_node(world_.rng().below(scenario_.node_count)) + ":5432";
  const auto limit =
      static_cast<std::uint32_t>(world_.between(std::size_t{1}, scenario_.server_limit));
  tell_limit(node, limit);
}

// Where a first look at the servers takes its time.
void Simulation::find_limits_soon() {
  world_.after(world_.between(milliseconds(1), milliseconds(100)), [this] {
    for (const auto& node : nodes_) tell_limit(node->address() + ":5432", scenario_.server_limit);
  });
}

// A reactor that has much to do takes its letter late: meanwhile two limits are believed in.
void Simulation::tell_limit(const std::string& node, std::uint32_t limit) {
  ++limits_version_;
  for (std::uint32_t i = 0; i < reactors_.size(); ++i) {
    const bool is_late = world_.chance(0.3);
    const base::Duration delay =
        is_late ? world_.between(milliseconds(0), milliseconds(50)) : base::Duration::zero();
    world_.after(delay, [this, node, limit, version = limits_version_, i] {
      auto changed = std::make_unique<proxy::LimitChanged>();
      changed->node = node;
      changed->limits.server = limit;
      changed->version = version;
      post(base::Mailbox::relay(i), nullptr, std::move(changed));
    });
  }
}

// As the daemon at SIGHUP.
void Simulation::reload() {
  world_.say("pgweir reloads its configuration");
  options_ = std::make_shared<proxy::Options>(scenario_.redraw_options(world_.rng()));
  for (const proxy::DatabaseOptions& database : scenario_.options.databases) {
    const std::string name = database_asked_of(database);
    const bool is_there = proxy::find_database(*options_, name) != nullptr;
    if (!is_there) removed_at_.try_emplace(name, world_.now());
    if (const auto removed = removed_at_.find(name); removed != removed_at_.end()) {
      if (is_there) removed->second = base::kNever;
      if (!is_there && removed->second == base::kNever) removed->second = world_.now();
    }
  }
  tell_all([this] {
    auto changed = std::make_unique<proxy::OptionsChanged>();
    changed->options = options_;
    return changed;
  });
}

std::optional<base::Instant> Simulation::removed_at(const std::string& database) const {
  const auto removed = removed_at_.find(database);
  if (removed == removed_at_.end() || removed->second == base::kNever) return std::nullopt;
  return removed->second;
}

bool Simulation::was_removed(const std::string& database) const {
  return removed_at_.contains(database);
}

// As the daemon at SIGTERM, and at a second one.
void Simulation::drain(bool is_now) {
  world_.say(is_now ? "pgweir has to end at once" : "pgweir has to end");
  const base::Duration patience = is_now ? base::Duration::zero() : options_->shutdown_timeout;
  cuts_at_ = std::min(cuts_at_.value_or(base::kNever), world_.now() + patience);
  tell_all([is_now] {
    auto drain = std::make_unique<proxy::Drain>();
    drain->is_now = is_now;
    return drain;
  });
}

void Simulation::take_drained(const proxy::Drained& drained) {
  if (!drained.is_clean && world_.now() < *cuts_at_) fail("a transaction was cut early");
  if (++drained_count_ < reactors_.size()) return;
  world_.say("pgweir ends");
  has_drained_ = true;
  if (const std::string problem = find_undrained(); !problem.empty()) fail(problem);
  is_epilogue_ = true;
  login_io_.stop();
  for (const Reactor& reactor : reactors_) reactor.io->stop();
}

}  // namespace pgweir::sim

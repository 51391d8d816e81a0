// What must hold after every event, and at the end.
#include <algorithm>

#include "sim/simulation.h"

namespace pgweir::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// How long a server that nobody has may outlive the lowering of a limit: it is told, and hangs up.
constexpr base::Duration kYielding = milliseconds(500);

}  // namespace

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

// What a client asks of the server that it has is done, though it leaves in the same breath; a
// fault excuses it, and so does whatever may part the client from its server meanwhile.
void Simulation::check_last_words() const {
  const bool may_be_parted = scenario_.faults.may_lose_servers() ||
                             scenario_.faults.reset_client > 0 || scenario_.rules.may_idle_too_long;
  if (may_be_parted) return;
  for (const Mark mark : last_words_) {
    if (!ledger_.was_executed(mark)) fail("the last words " + to_text(mark) + " were not heard");
  }
}

// When a server may hold fewer connections than it does, those that nobody has go at once, and the
// others as they are given back.
void Simulation::check_lowered_limit() {
  if (!scenario_.changes_limit || scenario_.node_count != 1 || !has_prompt_ends()) return;
  if (is_anybody_busy()) return;  // What it counts is in the middle of a change.
  const pool::LevelId level =
      *exchange_.find_level(proxy::server_level_name(address_of_node(0) + ":5432"));
  const proxy::RelayCounts counts = relay_counts();
  const bool lingers =
      exchange_.taken(level) > exchange_.limit(level) && counts.open > counts.in_use;
  lingers_since_ = lingers ? std::min(lingers_since_, world_.now()) : base::kNever;
  if (!lingers || world_.now() - lingers_since_ <= kYielding) return;
  fail("the limit was lowered to " + std::to_string(exchange_.limit(level)) + ", and " +
       std::to_string(counts.open - counts.in_use) + " servers stay that nobody has");
}

// What no reactor has done, nor a new backend, has changed none of what is looked at here.
void Simulation::check_step() {
  bool has_run = false;
  for (const Reactor& reactor : reactors_) {
    Turns& turns = reactor.io->turns();
    if (!turns.has_run()) continue;
    has_run = true;
    if (!turns.is_busy()) reactor.relay->check_invariants();
  }
  check_lowered_limit();
  std::size_t backend_count = 0;
  for (const auto& node : nodes_) backend_count += node->backend_count();
  if (std::exchange(backend_count_, backend_count) == backend_count && !has_run) return;
  name_levels();
  note_room();
  check_limits();
  if (const std::string problem = find_wrong_permits(false); !problem.empty()) fail(problem);
}

// Nobody sees more permits out than there may be, wherever the reactors are.
void Simulation::check_limits() const {
  if (scenario_.changes_limit || scenario_.reloads) return;
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    const pool::LevelId level{i};
    if (exchange_.taken(level) <= exchange_.limit(level)) continue;
    fail("level \"" + exchange_.name(level) + "\" has more permits out than its limit");
  }
}

// Each backend that holds a slot has a permit of every level that it counts for.
std::string Simulation::find_wrong_permits(bool are_all_back) const {
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    const pool::LevelId level{i};
    const std::string& name = exchange_.name(level);
    if (are_all_back && exchange_.taken(level) > exchange_.limit(level)) {
      return "level \"" + name + "\" has more permits out than its limit";
    }
    const std::string& counted = counted_as_[i];
    if (counted.empty()) continue;
    const std::uint32_t taken = taken_of(counted);
    std::size_t alive = 0;
    for (const auto& node : nodes_) alive += backends_of(*node, counted);
    if (alive > taken || (are_all_back && alive != taken)) {
      return "level \"" + name + "\": " + std::to_string(alive) + " backends, " +
             std::to_string(taken) + " permits out";
    }
  }
  return {};
}

// Which levels are counted together, since no backend tells which of them it is of: "server NODE",
// "role NODE USER", "database NAME", "pool NODE NAME USER", "rolconnlimit NODE USER", "datconnlimit
// NODE NAME"; without a pool's USER where several log in as one. With an entry "*" a database may
// have been of two entries. Empty: not at all.
std::string Simulation::counted_as(const std::string& level_name) const {
  if (level_name.starts_with("user ")) return {};
  if (level_name.starts_with("database ") && scenario_.has_fallback) return "database";
  if (!level_name.starts_with("pool ")) return level_name;
  const std::size_t slash = level_name.find('/');
  const std::size_t space = level_name.find(' ', slash);
  const std::string user = level_name.substr(slash + 1, space - slash - 1);
  const std::string node =
      level_name.substr(space + 1, level_name.find(' ', space + 1) - space - 1);
  const auto& databases = scenario_.options.databases;
  const bool is_shared = std::any_of(databases.begin(), databases.end(),
                                     [](const auto& database) { return !database.user.empty(); });
  return "pool " + node + " " + level_name.substr(5, slash - 5) + (is_shared ? "" : " " + user);
}

void Simulation::name_levels() {
  while (counted_as_.size() < exchange_.level_count()) {
    const pool::LevelId level{static_cast<std::uint32_t>(counted_as_.size())};
    counted_as_.push_back(counted_as(exchange_.name(level)));
  }
}

std::uint32_t Simulation::taken_of(const std::string& counted) const {
  std::uint32_t taken = 0;
  for (std::uint32_t i = 0; i < counted_as_.size(); ++i) {
    const pool::LevelId level{i};
    if (counted_as_[i] == counted) taken += exchange_.taken(level);
  }
  return taken;
}

std::size_t Simulation::backends_of(const Postgres& node, std::string_view counted) const {
  const std::size_t space = counted.find(' ');
  const std::string_view kind = counted.substr(0, space);
  if (kind == proxy::kProcessLevel || counted == "database") return node.backend_count();
  const std::string_view rest = counted.substr(space + 1);
  const std::string name = node.address() + ":5432";
  if (kind == "database") return node.backend_count({}, rest);
  if (kind == "server") return rest == name ? node.backend_count() : 0;
  if (!rest.starts_with(name + " ")) return 0;
  const std::string_view what = rest.substr(name.size() + 1);
  if (kind == "pool") {
    const std::size_t behind = std::min(what.find(' '), what.size());
    const std::string_view user = what.substr(std::min(behind + 1, what.size()));
    return node.backend_count(user, what.substr(0, behind));
  }
  const bool is_role = kind == "role" || kind == "rolconnlimit";
  return is_role ? node.backend_count(what, {}) : node.backend_count({}, what);
}

// What is not as it must be when nobody is there any more; empty if all is well.
std::string Simulation::find_unsettled() const {
  if (is_anybody_busy()) return "a reactor is still in the middle of something";
  const proxy::RelayCounts counts = relay_counts();
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
  if (counts.open != alive || relay_connection_count() != alive) {
    return "the relay counts " + std::to_string(counts.open) + " servers and has " +
           std::to_string(relay_connection_count()) + " connections, but " + std::to_string(alive) +
           " backends are alive";
  }
  if (std::string problem = find_wrong_permits(true); !problem.empty()) return problem;
  if (std::string problem = find_wrong_limits(); !problem.empty()) return problem;
  return find_useless();
}

// The limits in force are those of the configuration in force; those of the pools that databases
// have left do not matter.
std::string Simulation::find_wrong_limits() const {
  std::map<std::string, std::uint32_t> limits;
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    limits[exchange_.name(pool::LevelId{i})] = exchange_.limit(pool::LevelId{i});
  }
  for (const auto& [name, limit] : limits) {
    for (const proxy::DatabaseOptions& database : options_->databases) {
      const std::string node = " " + database.hosts.front().host + ":5432 ";
      if (database.name == "*") continue;  // Looked up for those who have come.
      const bool is_own = name.find(" " + database.name + " #") != std::string::npos;
      const bool is_pool = is_own && name.starts_with("pool " + database.name + "/") &&
                           name.find(node) != std::string::npos;
      const std::uint32_t wanted =
          is_pool ? database.pool.server_count_max : database.server_count_max;
      if ((is_pool || name == "database " + database.name) && limit != wanted) {
        return "level \"" + name + "\" does not have the limit that is configured";
      }
    }
    // A role's limit is looked up for the pools that there are.
    const bool is_all = options_->databases.size() == scenario_.options.databases.size();
    for (const proxy::UserOptions& user : options_->users) {
      if (!is_all || !name.starts_with("role ") || !name.ends_with(" " + user.name)) continue;
      if (limit != user.server_count_max) return "level \"" + name + "\" has a wrong limit";
    }
  }
  return {};
}

// Servers that nobody has needed for longer than their pool keeps them.
std::string Simulation::find_useless() const {
  for (const proxy::DatabaseOptions& database : options_->databases) {
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

// Whether nothing keeps a server from ending that is sent Terminate. One that got a part of a
// message never reads it.
bool Simulation::has_prompt_ends() const {
  const bool may_cut_messages = scenario_.faults.vanish > 0 || scenario_.rules.is_odd;
  return !scenario_.faults.may_lose_servers() && !may_cut_messages;
}

// When nothing has kept a server from ending, pgweir ends only once the last one has.
std::string Simulation::find_undrained() const {
  if (relay_counts().clients != 0) return "pgweir ends though clients are there";
  if (!has_prompt_ends()) return {};
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    const pool::LevelId level{i};
    if (exchange_.taken(level) == 0) continue;
    return "pgweir ends, and permits of level \"" + exchange_.name(level) + "\" are out";
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

}  // namespace pgweir::sim

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
  const pool::LevelId level = node_levels_.begin()->second;
  const proxy::RelayCounts counts = relay_.counts();
  const bool lingers =
      exchange_.taken(level) > exchange_.limit(level) && counts.open > counts.in_use;
  lingers_since_ = lingers ? std::min(lingers_since_, world_.now()) : base::kNever;
  if (!lingers || world_.now() - lingers_since_ <= kYielding) return;
  fail("the limit was lowered to " + std::to_string(exchange_.limit(level)) + ", and " +
       std::to_string(counts.open - counts.in_use) + " servers stay that nobody has");
}

void Simulation::check_step() {
  relay_.check_invariants();
  check_lowered_limit();
  if (const std::string problem = find_wrong_permits(false); !problem.empty()) fail(problem);
}

// Each backend that holds a slot has a permit of every level that it counts for.
std::string Simulation::find_wrong_permits(bool are_all_back) const {
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    const pool::LevelId level{i};
    const std::string& name = exchange_.name(level);
    const bool is_fixed = !scenario_.changes_limit && !scenario_.reloads;
    if ((are_all_back || is_fixed) && exchange_.taken(level) > exchange_.limit(level)) {
      return "level \"" + name + "\" has more permits out than its limit";
    }
    const std::uint32_t taken = taken_of(name);
    std::size_t alive = 0;
    for (const auto& node : nodes_) alive += backends_of(*node, name);
    if (alive > taken || (are_all_back && alive != taken)) {
      return "level \"" + name + "\": " + std::to_string(alive) + " backends, " +
             std::to_string(taken) + " permits out";
    }
  }
  return {};
}

// A database that has moved has a pool of the same name here and there.
std::uint32_t Simulation::taken_of(const std::string& level_name) const {
  std::uint32_t taken = 0;
  for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
    const pool::LevelId level{i};
    if (exchange_.name(level) == level_name) taken += exchange_.taken(level);
  }
  return taken;
}

// Those that count for a level: "server NODE", "role NODE USER", "database NAME", "pool NAME/USER",
// "rolconnlimit NODE USER", "datconnlimit NODE NAME".
std::size_t Simulation::backends_of(const Postgres& node, std::string_view level) {
  const std::size_t space = level.find(' ');
  const std::string_view kind = level.substr(0, space);
  const std::string_view rest = level.substr(space + 1);
  const std::string name = node.address() + ":5432";
  if (kind == proxy::kProcessLevel) return node.backend_count();
  if (kind == "server") return rest == name ? node.backend_count() : 0;
  if (kind == "role" || kind == "rolconnlimit" || kind == "datconnlimit") {
    if (!rest.starts_with(name + " ")) return 0;
    const std::string_view what = rest.substr(name.size() + 1);
    return kind == "datconnlimit" ? node.backend_count({}, what) : node.backend_count(what, {});
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
      const bool is_pool = name.starts_with("pool " + database.name + "/");
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
  if (relay_.counts().clients != 0) return "pgweir ends though clients are there";
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

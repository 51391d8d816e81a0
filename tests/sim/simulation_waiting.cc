// Who waits: for how long, while there is something for it, and behind whom.
#include <algorithm>

#include "proxy/catalog.h"
#include "sim/simulation.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// So long a client may wait beside a server that it could have, or beside a permit of each level.
// Logins, cancels and pools that come before it take their time; a wake-up that was lost is made up
// for by a second look, but never within this.
constexpr base::Duration kWaitingInVain = seconds(2);

// Order of arrival, as clients and servers see it: between a client's asking and a server's
// beginning are two networks and whatever that server does meanwhile. With one reactor, where the
// order is exact, this is up to 2.7 ms in 50 crowds …
constexpr base::Duration kOnTheWay = microseconds(3'500);
// … and over all reactors it holds within 1 ms.
constexpr base::Duration kOvertaking = milliseconds(1);
// So many stops an event may make on the way of a server to its waiter.
constexpr int kStopsOnTheWay = 12;

}  // namespace

void Simulation::note_asked(const Client& client) {
  if (!arrivals_) return;
  arrivals_->note_asked(client.number(), client.database() + "/" + client.user(), world_.now());
}

void Simulation::expect_order() {
  arrivals_.emplace(scenario_.relay_count == 1
                        ? kOnTheWay
                        : kOnTheWay + kOvertaking + kStopsOnTheWay * scenario_.stop_max);
  ledger_.on_begun = [this](Mark mark) { arrivals_->note_begun(mark.client); };
}

void Simulation::watch_waiting() {
  world_.after(milliseconds(200), [this] {
    check_waiting();
    if (!has_drained_) watch_waiting();
  });
}

void Simulation::note_room() {
  room_since_.resize(counted_as_.size(), base::kNever);
  for (std::uint32_t i = 0; i < room_since_.size(); ++i) {
    base::Instant& since = room_since_[i];
    since = exchange_.is_full(pool::LevelId{i}) ? base::kNever : std::min(since, world_.now());
  }
}

// Where nothing goes wrong nobody waits for what is there. Not asked where a server may be kept for
// a client that the model knows nothing of, or lingers in a reactor that was given too few.
void Simulation::check_waiting() const {
  const auto& rules = scenario_.rules;
  if (scenario_.faults.may_lose_servers() || scenario_.reloads || cuts_at_) return;
  if (rules.reads_apart || rules.may_idle_too_long || rules.weights[15] > 0) return;
  const base::Instant since = world_.now() - kWaitingInVain;
  for (const auto& client : clients_) {
    if (client->waits_since() > since) continue;
    const auto& database = *proxy::find_database(scenario_.options, client->database());
    if (scenario_.rules_for(database).keeps_server || scenario_.rules_for(database).may_keep_names)
      continue;
    const std::string& role = database.user.empty() ? client->user() : database.user;
    const bool is_shared = !database.user.empty();
    for (const auto& node : nodes_) {
      if (is_shared || node->address() != database.hosts.front().host) continue;
      if (node->has_rested(role, client->database(), since))
        fail(client->describe() + " waits in vain beside a server of its pool");
    }
    if (!is_shared && has_room(*client, since))
      fail(client->describe() + " waits in vain beside free permits");
  }
}

// Every level of its pool has had room since then.
bool Simulation::has_room(const Client& client, base::Instant since) const {
  const auto& database = *proxy::find_database(scenario_.options, client.database());
  const std::string node = database.hosts.front().host + ":5432";
  const std::string wanted[] = {"server " + node, "database " + database.name,
                                "role " + node + " " + client.user(),
                                "pool " + node + " " + client.database(),
                                "pool " + node + " " + client.database() + " " + client.user()};
  for (std::uint32_t i = 0; i < room_since_.size(); ++i) {
    const bool is_its =
        std::find(std::begin(wanted), std::end(wanted), counted_as_[i]) != std::end(wanted);
    if (is_its && room_since_[i] > since) return false;
  }
  return true;
}

}  // namespace pgweir::sim

// Node in each of its states, and what a look, a count and the clients make of it: what it
// publishes and logs. It has no permit and borrows a pool's connection for all that it asks.

#include <gtest/gtest.h>

#include <array>

#include "base/matrix_test.h"
#include "budget/discovery.h"
#include "control/events.h"
#include "control/node.h"
#include "control/scripted_host_test.h"
#include "obs/captured_log.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

constexpr int kPid = 4711;
constexpr int kLostPid = 12;

// What discovery finds on a server with so many slots, 3 of them reserved; 2 are ours.
Loan look(int max_connections, int pid = kPid, int others = 5) {
  return Found{{{"150020", std::to_string(max_connections), "3", "0", "f", std::to_string(kPid),
                 std::to_string(others), "2", std::nullopt, std::nullopt}},
               pid};
}

struct Scene {
  Scene() {
    permits.is_free = false;
    node.start();
    wait();
  }

  // Until something is asked for that is due within half a minute.
  void wait() {
    for (int tenths = 0; tenths < 350 && !pool.is_asked(); ++tenths) {
      now += 100ms;
      loop->turn(now);
    }
  }
  // The same, but for lost backends: those are still there.
  void wait_for_look() {
    for (wait(); pool.is_asked_about("pg_terminate_backend"); wait()) {
      pool.say(Found{{{std::to_string(kLostPid)}}, kPid});
    }
  }
  void be_seen_once(const Loan& found) {
    node.handle_refused();
    wait_for_look();
    pool.say(found);
  }
  // The same by the second look, if there is one.
  void be_looked_at(const Loan& found) {
    be_seen_once(found);
    now += budget::kSecondLookAfter;
    loop->turn(now);
    if (pool.is_asked_about(budget::kDiscoverySql)) pool.say(found);
  }
  // Or looked at, where that is due first.
  void be_counted() {
    node.handle_clients(Clients::Active);
    wait_for_look();
    pool.say(pool.is_asked_about(budget::kDiscoverySql) ? look(100) : Found{{{"9"}}, kPid});
  }
  void be_searched() {
    wait();
    if (pool.is_asked_about("pg_terminate_backend")) pool.say(Found{{}, kPid});
  }
  // What shows of it.
  std::string face() const {
    const NodeSnapshot& shown = node.snapshot();
    return (shown.is_answering ? "up" : "down") + std::string(shown.reason.empty() ? "" : "?") +
           (shown.limit == pool::kUnlimited ? "" : "," + std::to_string(shown.limit)) +
           (shown.next_count_due == base::kNever ? "" : "+") +
           (shown.servers_lost == 0 ? "" : ",lost");
  }
  // How often each event has been logged so far.
  std::array<std::uint64_t, 4> logged() const {
    return {log.count(kNodeAnswers), log.count(kNodeFailed), log.count(kDiscoveryUnusable),
            log.count(kLimitChanged)};
  }

  base::Instant now{1h};
  std::unique_ptr<loop::Loop> loop = std::move(loop::Loop::create([this] { return now; })).value();
  std::unique_ptr<Resolver> resolver = std::move(Resolver::create(*loop, {})).value();
  OnePermit permits;
  ScriptedPool pool;
  obs::CapturedLog log;
  int changes = 0;
  Node node{*loop,
            *resolver,
            log,
            {.name = "test",
             .database = {},
             .budget = {},
             .permits = &permits,
             .borrow = &pool,
             .own_pids = [] { return std::vector<std::int32_t>(); },
             .limits_changed = [](const auto&) {}},
            [this] { ++changes; }};
};

struct Event {
  std::string_view name;
  void (*happen)(Scene&);
};
// A look finds a server, one with fewer slots, what is no PostgreSQL, a pooler, nonsense.
const std::vector<Event> kLooks{
    {"Found", [](Scene& scene) { scene.be_looked_at(look(100)); }},
    {"Fewer", [](Scene& scene) { scene.be_looked_at(look(50)); }},
    {"Odd",
     [](Scene& scene) {
       scene.be_looked_at(Found{Rows(2), kPid});
     }},
    {"Pooler", [](Scene& scene) { scene.be_looked_at(look(100, 12)); }},
    {"Nonsense", [](Scene& scene) { scene.be_looked_at(look(0)); }},
};
const std::vector<Event> kHappenings{
    {"Failed",
     [](Scene& scene) {
       scene.be_looked_at(insight::make_failure(insight::FailureKind::Lost, "gone"));
     }},
    {"Crowded", [](Scene& scene) { scene.be_looked_at(CrowdedOut{}); }},
    {"Come", [](Scene& scene) { scene.node.handle_clients(Clients::Active); }},
    {"Leave", [](Scene& scene) { scene.node.handle_clients(Clients::None); }},
    {"Counted", [](Scene& scene) { scene.be_counted(); }},
    {"Lost", [](Scene& scene) { scene.node.find_lost(kLostPid, [] {}); }},
    {"Gone", [](Scene& scene) { scene.be_searched(); }},
};

struct State {
  std::string_view name;
  std::vector<std::string_view> events;  // By which it is reached.
};
const std::vector<State> kStates{
    {"New", {}},
    {"Up", {"Found"}},
    {"Busy", {"Found", "Come"}},
    {"Odd", {"Odd"}},
    {"Behind", {"Pooler"}},
    {"Down", {"Failed"}},
    {"DownBusy", {"Found", "Come", "Failed"}},
    {"Crowded", {"Crowded"}},
    {"Waiting", {"Found", "Come", "Crowded"}},
    {"Losing", {"Found", "Lost"}},
};

void happen(Scene& scene, std::string_view name) {
  for (const std::vector<Event>* events : {&kLooks, &kHappenings}) {
    for (const Event& event : *events) {
      if (event.name == name) event.happen(scene);
    }
  }
}

std::string play(const State& state, const Event& event) {
  Scene scene;
  for (const std::string_view name : state.events) happen(scene, name);
  const std::string face = scene.face();
  const auto logged = scene.logged();
  scene.changes = 0;
  event.happen(scene);
  EXPECT_TRUE(scene.face() == face || scene.changes > 0) << "it changed and told nobody";
  std::string lines;
  for (std::size_t i = 0; i < logged.size(); ++i) {
    if (scene.logged()[i] > logged[i]) lines += "AFUL"[i];
  }
  return scene.face() + (lines.empty() ? "" : ":" + lines);
}

// What it publishes: whether it answers, `?` where it gives a reason, its limit, `+` while a count
// is due, whether backends are lost; then what is logged: that it (A)nswers, that it (F)ailed, that
// what it says is (U)nusable, the new (L)imit.
TEST(NodeMatrix, whatever_a_look_finds_in_every_state) {
  base::expect_matrix(
      R"(
             Found      Fewer        Odd           Pooler       Nonsense
    New      up,89:AL   up,40:AL     up?:AU        up:AU        up:AU
    Up       up,89      up,40:L      up?,89:U      up,89:U      up,89:U
    Busy     up,89+     up,40+:L     up?,89+:U     up,89+:U     up,89+:U
    Odd      up,89:L    up,40:L      up?           up           up
    Behind   up,89:L    up,40:L      up?           up           up
    Down     up,89:AL   up,40:AL     up?:AU        up:AU        up:AU
    DownBusy up,89+:A   up,40+:AL    up?,89+:AU    up,89+:AU    up,89+:AU
    Crowded  up,89:AL   up,40:AL     up?:AU        up:AU        up:AU
    Waiting  up,89+     up,40+:L     up?,89:U      up,89+:U     up,89+:U
    Losing   up,89,lost up,40,lost:L up?,89,lost:U up,89,lost:U up,89,lost:U
  )",
      base::names_of(kStates), base::names_of(kLooks),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kLooks[event]); });
}

TEST(NodeMatrix, whatever_happens_in_every_state) {
  base::expect_matrix(R"(
             Failed          Crowded     Come        Leave      Counted     Lost           Gone
    New      down?:F         down?       down+       down       up,89+:AL   down,lost      down
    Up       down?,89:F      up?,89      up,89+      up,89      up,89+      up,89,lost     up,89
    Busy     down?,89+:F     up?,89      up,89+      up,89      up,89+      up,89+,lost    up,89+
    Odd      down?:F         up?         up?+        up?        up+         up?,lost       up?
    Behind   down?:F         up?         up+         up         up+         up,lost        up
    Down     down?:F         down?       down?+      down?      up,89+:AL   down?,lost     down?
    DownBusy down?,89+:F     down?,89    down?,89+   down?,89   up,89+:A    down?,89+,lost down?,89+
    Crowded  down?:F         down?       down?+      down?      up,89+:AL   down?,lost     down?
    Waiting  down?,89:F      up?,89      up?,89      up?,89     up,89+      up?,89,lost    up?,89
    Losing   down?,89,lost:F up?,89,lost up,89+,lost up,89,lost up,89+,lost up,89,lost     up,89
  )",
                      base::names_of(kStates), base::names_of(kHappenings),
                      [](std::size_t state, std::size_t event) {
                        return play(kStates[state], kHappenings[event]);
                      });
}

struct OthersTest : testing::Test {
  // The answer to a look, then to the one that is asked for because of it.
  void be_seen(int others, int others_soon) {
    scene.be_seen_once(look(100, kPid, others));
    const base::Instant from = scene.now;
    scene.wait_for_look();
    EXPECT_LE(scene.now - from, 300ms);
    scene.pool.say(look(100, kPid, others_soon));
  }

  Scene scene;
};

TEST_F(OthersTest, are_not_those_who_are_ours_at_the_second_look) {
  be_seen(5, 5);
  be_seen(20, 5);
  EXPECT_EQ(scene.face(), "up,89");
  EXPECT_EQ(scene.log.count(kLimitChanged), 1U) << "the first";
}

TEST_F(OthersTest, count_once_two_looks_have_seen_them) {
  be_seen(5, 5);
  be_seen(20, 20);
  EXPECT_EQ(scene.face(), "up,74");
}

TEST_F(OthersTest, who_were_ours_at_the_first_look_cost_nothing_after_the_second) {
  be_seen(20, 5);
  EXPECT_EQ(scene.face(), "up,89");
}

}  // namespace
}  // namespace pgweir::control

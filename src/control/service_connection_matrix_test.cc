// ServiceConnection in each of its states, and whatever can happen to it: against a server and a
// pool that do what they are told.

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "control/scripted_host_test.h"
#include "control/scripted_server_test.h"
#include "control/service_connection.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

// States: one that is SearchingLate has lost another backend since it asked; one that is Leaving
// has hung up, and the server has not ended; of one that is Unseen nobody has seen the end.
struct Scene : ScriptedStage {
  void note(std::string_view what) { told += told.empty() ? what : "," + std::string(what); }
  ServiceCallbacks callbacks() {
    return {.discovery =
                [] {
                  return Statement{"discover", {}, 5s};
                },
            .discovered =
                [this](const Found&) {
                  note("found");
                  return base::kNever;
                },
            .measured = [this](std::uint32_t) { note("counted"); },
            .failed = [this](const insight::Failure&) { note("failed"); },
            .crowded_out = [this] { note("crowded"); },
            .lost_counted = [](std::size_t) {}};
  }
  void lose(int pid) {
    service.find_lost(pid, [this] { note("gone"); });
  }
  void answer(const std::vector<std::string>& rows) {
    server.answer(rows);
    settle();
  }

  void dial() {
    service.start();
    settle();
  }
  void discover() {
    dial();
    server.let_in();
    settle();
  }
  void rest() {
    discover();
    answer({"1"});
  }
  void count() {
    rest();
    service.handle_clients(Clients::Active);
    settle();
  }
  void search() {
    rest();
    lose(12);
    pass(1s);
  }
  void borrow() {
    permits.is_free = false;
    dial();
    permits.is_free = true;
  }
  void fail() {
    dial();
    server.end_with("53300");
    settle();
  }
  void search_late() {
    search();
    lose(13);
  }
  // Hung up, and the server does not see it.
  void leave() {
    rest();
    server.stop_looking();
    pass(61s);
  }
  // What it had not read makes the end a reset.
  void vanish() {
    leave();
    server.end();
    settle();
  }
  void sleep() {
    rest();
    pass(61s);
  }

  std::unique_ptr<Resolver> resolver = std::move(Resolver::create(*loop, {})).value();
  OnePermit permits;
  ScriptedPool pool;
  std::string told;
  ServiceConnection service{*loop,
                            *resolver,
                            {permits, pool},
                            {.node = "test",
                             .database = server.database(),
                             .budget = {.health_interval = 0s, .monitor_idle = 60s}},
                            callbacks()};
};

struct State {
  std::string_view name;
  void (Scene::*reach)();
};
const std::vector<State> kStates{
    {"Dialling", &Scene::dial},
    {"Discovering", &Scene::discover},
    {"Counting", &Scene::count},
    {"Searching", &Scene::search},
    {"SearchingLate", &Scene::search_late},
    {"Resting", &Scene::rest},
    {"Borrowing", &Scene::borrow},
    {"Failing", &Scene::fail},
    {"Asleep", &Scene::sleep},
    {"Leaving", &Scene::leave},
    {"Unseen", &Scene::vanish},
};

// Said by the server, by the pool; the rest happens: clients come and leave, a connection is
// refused with 53300, a backend is lost, its limit becomes too small for it, time passes.
struct Event {
  std::string_view name;
  // Whether there is somebody to whom it happens.
  bool (*is_possible)(const Scene&);
  void (*happen)(Scene&);
};
bool is_there(const Scene& scene) { return scene.server.has_connection(); }
bool is_asked(const Scene& scene) { return scene.server.is_asked(); }
bool has_lent(const Scene& scene) { return scene.pool.is_asked(); }
bool always(const Scene&) { return true; }

const std::vector<Event> kSayings{
    {"LetIn", [](const Scene& scene) { return scene.server.is_logging_in(); },
     [](Scene& scene) { scene.server.let_in(); }},
    {"Answer", is_asked, [](Scene& scene) { scene.server.answer({"12"}); }},
    {"Empty", is_asked, [](Scene& scene) { scene.server.answer({}); }},
    {"Error", is_asked, [](Scene& scene) { scene.server.refuse_statement(); }},
    {"Ended", is_there, [](Scene& scene) { scene.server.end_with("57P01"); }},
    {"Eof", is_there, [](Scene& scene) { scene.server.end(); }},
};
const std::vector<Event> kLoans{
    {"Lent", has_lent,
     [](Scene& scene) {
       scene.pool.say(Found{{{"12"}}, 5});
     }},
    {"Crowded", has_lent, [](Scene& scene) { scene.pool.say(CrowdedOut{}); }},
    {"NotLent", has_lent,
     [](Scene& scene) {
       scene.pool.say(insight::make_failure(insight::FailureKind::Lost, "it is gone"));
     }},
};
const std::vector<Event> kHappenings{
    {"Come", always, [](Scene& scene) { scene.service.handle_clients(Clients::Active); }},
    {"Leave", always, [](Scene& scene) { scene.service.handle_clients(Clients::None); }},
    {"Full", always, [](Scene& scene) { scene.service.handle_refused(); }},
    {"Lost", always, [](Scene& scene) { scene.lose(13); }},
    {"Guest", always, [](Scene& scene) { scene.service.set_guest(true); }},
    {"Second", always, [](Scene& scene) { scene.pass(1s); }},
    {"Minute", always, [](Scene& scene) { scene.pass(61s); }},
};

std::string_view where(const Scene& scene) {
  if (scene.pool.is_asked()) return scene.permits.is_free ? "borrowing" : "borrowing+";
  if (!scene.service.is_connected() && !scene.server.is_logging_in())
    return scene.permits.is_free ? "off" : "off+";
  EXPECT_FALSE(scene.permits.is_free);
  if (scene.server.is_logging_in()) return "dialling";
  return scene.server.is_asked() ? "asking" : "resting";
}

std::string play(const State& state, const Event& event) {
  Scene scene;
  (scene.*state.reach)();
  if (!event.is_possible(scene)) return "-";
  scene.told.clear();
  event.happen(scene);
  scene.settle();
  return (scene.told.empty() ? "" : scene.told + ":") + std::string(where(scene));
}

// Where it is afterwards: no connection and nothing asked (`off`), `dialling`, `asking` on its own
// connection, `resting` on it, `borrowing` a pool's. `+`: its permit is still taken, for a backend
// whose end was not seen. Before the colon, what is told. `-`: nobody is there to whom it happens.
TEST(ServiceConnectionMatrix, whatever_is_said_in_every_state) {
  base::expect_matrix(
      R"(
                    LetIn  Answer         Empty         Error      Ended      Eof
      Dialling      asking -              -             -          failed:off failed:off
      Discovering   -      found:resting  found:resting failed:off failed:off failed:off
      Counting      -      counted:asking asking        failed:off failed:off failed:off
      Searching     -      resting        gone:resting  failed:off failed:off failed:off
      SearchingLate -      resting        gone:resting  failed:off failed:off failed:off
      Resting       -      -              -             -          failed:off failed:off
      Borrowing     -      -              -             -          -          -
      Failing       -      -              -             -          -          -
      Asleep        -      -              -             -          -          -
      Leaving       -      -              -             -          borrowing+ borrowing+
      Unseen        -      -              -             -          -          -
  )",
      base::names_of(kStates), base::names_of(kSayings),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kSayings[event]); });
}

TEST(ServiceConnectionMatrix, whatever_happens_in_every_state) {
  base::expect_matrix(R"(
                    Come       Leave      Full       Lost        Guest      Second     Minute
      Dialling      dialling   dialling   dialling   dialling    dialling   dialling   failed:off
      Discovering   asking     asking     asking     asking      asking     asking     failed:off
      Counting      asking     asking     asking     asking      asking     asking     failed:off
      Searching     asking     asking     asking     asking      asking     asking     failed:off
      SearchingLate asking     asking     asking     gone:asking asking     asking     failed:off
      Resting       asking     resting    resting    resting     off        resting    off
      Borrowing     borrowing  borrowing  borrowing  borrowing   borrowing  borrowing  borrowing
      Failing       off        off        off        off         off        dialling   dialling
      Asleep        dialling   off        dialling   dialling    off        off        off
      Leaving       borrowing+ off+       borrowing+ borrowing+  off+       off+       borrowing+
      Unseen        borrowing+ borrowing+ borrowing+ borrowing+  borrowing+ borrowing+ borrowing+
  )",
                      base::names_of(kStates), base::names_of(kHappenings),
                      [](std::size_t state, std::size_t event) {
                        return play(kStates[state], kHappenings[event]);
                      });
}

TEST(ServiceConnectionMatrix, whatever_a_pool_says_to_who_borrows) {
  const std::vector<State> states{{"Borrowing", &Scene::borrow}, {"Unseen", &Scene::vanish}};
  base::expect_matrix(
      R"(
                    Lent      Crowded      NotLent
      Borrowing     found:off crowded:off  failed:off
      Unseen        off       crowded:off+ failed:off+
  )",
      base::names_of(states), base::names_of(kLoans),
      [&](std::size_t state, std::size_t event) { return play(states[state], kLoans[event]); });
}

TEST(ServiceConnectionMatrix, counts_a_login_nobody_answered_until_the_server_must_have_ended_it) {
  Scene scene;
  scene.dial();
  scene.server.stop_looking();
  scene.pass(6s);
  EXPECT_EQ(scene.told, "failed");
  scene.pass(10s);  // Its end is waited for no longer.
  scene.pass(59s);
  EXPECT_FALSE(scene.permits.is_free);
  scene.pass(1s);
  EXPECT_TRUE(scene.permits.is_free);
}

}  // namespace
}  // namespace pgweir::control

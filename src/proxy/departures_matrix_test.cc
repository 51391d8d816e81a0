// Clients in each situation when pgweir ends or their database is no longer configured: who goes,
// when, and with which words.
// Source of truth: PostgreSQL's ProcessInterrupts (ERRCODE_ADMIN_SHUTDOWN), and ARCHITECTURE.md.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using std::chrono::seconds;

// Of a process that ends: less than that of who waits for a server.
constexpr seconds kPatience(10);
void set_patience(Options& options) { options.shutdown_timeout = kPatience; }

struct Scene {
  Party server() const { return stage.server(stage.server_count() - 1); }
  void say(std::string_view bytes) { stage.say(client, bytes); }
  void answer(std::string_view bytes) { stage.say(server(), bytes); }
  void ask(std::string_view sql) { say(say::query(sql)); }
  void run(std::string_view sql, std::string_view tag, char status = 'I') {
    ask(sql);
    answer(say::complete(tag) + say::ready(status));
  }
  void begin() { run("begin", "BEGIN", 'T'); }
  void commit() { run("commit", "COMMIT"); }
  void listen() { run("listen a", "LISTEN"); }
  void drain(bool is_now = false) {
    auto drain = std::make_unique<Drain>();
    drain->is_now = is_now;
    stage.deliver(std::move(drain));
  }
  void configure(bool is_there) {
    auto changed = std::make_unique<OptionsChanged>();
    changed->options = Stage::make_options(1, [is_there](Options& options) {
      set_patience(options);
      if (!is_there) options.databases.clear();
    });
    stage.deliver(std::move(changed));
  }

  Stage stage{1, set_patience};
  Party client = stage.add_client();
  Party another = stage.add_client();
  std::function<void(Scene&)> end;   // Of what is under way, if anything is.
  std::string more = say::notice();  // What its server may say without ending anything.
};

using Step = std::function<void(Scene&)>;

Step answers(const std::string& bytes) {
  return [bytes](Scene& scene) { scene.answer(bytes); };
}

const std::string kQuery = say::query("select 1");
void begin_query(Scene& scene) { scene.say(kQuery.substr(0, 9)); }
void end_query(Scene& scene) {
  scene.say(kQuery.substr(9));
  scene.answer(say::one_row());
}
const std::string kLongQuery = say::query("select '" + std::string(100'000, 'x') + "'");
const std::string kRow = say::data_row("row");

struct State {
  std::string_view name;
  Step reach;
  Step end;
};
const std::vector<State> kStates{
    {"AtRest", [](Scene&) {}, {}},
    {"Arriving",  // It waits for the first server of its pool.
     [](Scene& scene) {
       scene.stage.has_slow_logins = true;
       scene.client = scene.stage.add_client("other");
     },
     [](Scene& scene) {
       scene.stage.has_slow_logins = false;
       scene.stage.pass(seconds(1));
     }},
    {"Waiting",
     [](Scene& scene) {
       scene.begin();
       std::swap(scene.client, scene.another);
       scene.ask("select 1");
     },
     [](Scene& scene) {
       std::swap(scene.client, scene.another);
       scene.commit();
       std::swap(scene.client, scene.another);
       scene.answer(say::one_row());
     }},
    {"InHalfQuery", begin_query, end_query},
    {"InLongQuery",  // Whose beginning the server has.
     [](Scene& scene) { scene.say(kLongQuery.substr(0, 50'000)); },
     [](Scene& scene) {
       scene.say(kLongQuery.substr(50'000));
       scene.answer(say::one_row());
     }},
    {"Running", [](Scene& scene) { scene.ask("select 1"); }, answers(say::one_row())},
    {"InAnswer",
     [](Scene& scene) {
       scene.ask("select 1");
       scene.answer(say::row_description() + kRow);
     },
     answers(say::complete("SELECT 1") + say::ready())},
    {"InRow",
     [](Scene& scene) {
       scene.ask("select 1");
       scene.answer(say::row_description() + kRow.substr(0, 12));
       scene.more = kRow.substr(12);
     },
     answers(kRow.substr(12) + say::complete("SELECT 1") + say::ready())},
    {"InBatch",
     [](Scene& scene) {
       scene.say(say::parse("", "select 1") + say::flush());
       scene.answer(say::parse_complete());
     },
     [](Scene& scene) {
       scene.say(say::sync());
       scene.answer(say::ready());
     }},
    {"InCopy",
     [](Scene& scene) {
       scene.ask("copy t from stdin");
       scene.answer(say::copy_in());
     },
     [](Scene& scene) {
       scene.say(say::copy_done());
       scene.answer(say::complete("COPY 0") + say::ready());
     }},
    {"InBlock", [](Scene& scene) { scene.begin(); }, [](Scene& scene) { scene.commit(); }},
    {"Pinned", [](Scene& scene) { scene.listen(); }, {}},
    {"PinnedInBlock",
     [](Scene& scene) {
       scene.listen();
       scene.begin();
     },
     [](Scene& scene) { scene.commit(); }},
    {"PinnedHalf",  // In half a query.
     [](Scene& scene) {
       scene.listen();
       begin_query(scene);
     },
     end_query},
    {"AskedAbout",  // Whether anything is left of what pinned it.
     [](Scene& scene) {
       scene.ask("select pg_try_advisory_lock(1)");
       scene.answer(say::one_row());
     },
     answers(say::one_row())},
    {"Unread",
     [](Scene& scene) {
       scene.ask("select 1");
       scene.stage.io.peer(scene.client).room = 3;
       scene.answer(say::one_row());
     },
     [](Scene& scene) {
       scene.stage.give_room(scene.client);
       scene.stage.pass(seconds(1));
     }},
};

struct Event {
  std::string_view name;
  Step happen;
};
const Event kDrain{"Drain", [](Scene& scene) { scene.drain(); }};
const Event kDrainNow{"DrainNow", [](Scene& scene) { scene.drain(true); }};
const Event kRemoved{"Removed", [](Scene& scene) { scene.configure(false); }};
const Event kEnd{"End", [](Scene& scene) { scene.end(scene); }};
const Event kMore{"More", [](Scene& scene) { scene.answer(scene.more); }};
const Event kLost{"Lost", [](Scene& scene) { scene.stage.end(scene.server()); }};
const Event kTimeUp{"TimeUp", [](Scene& scene) { scene.stage.pass(kPatience + seconds(1)); }};
const Event kAgain{"Again", [](Scene& scene) {
                     scene.stage.pass(kPatience / 2);
                     scene.drain();
                     scene.stage.pass(kPatience / 2 + seconds(1));
                   }};
const Event kRestored{"Restored", [](Scene& scene) {
                        scene.configure(true);
                        scene.end(scene);
                      }};

std::string word_of(const std::string& told) {
  if (told.find("C08006") != told.npos) return "lost";
  if (told.find("C57P01") == told.npos) return "mute";
  return told.find("pgweir is shutting down") != told.npos ? "goes" : "removed";
}

std::string outcome(Scene& scene) {
  if (!scene.stage.is_closed(scene.client)) return "stays";
  const std::string word = word_of(scene.stage.heard(scene.client));
  // Once everybody has gone the shell is told whether a transaction was cut.
  scene.stage.pass(seconds(2));
  const auto drained = scene.stage.take<Drained>();
  return drained.empty() || drained.front()->is_clean ? word : word + "!";
}

void reach(Scene& scene, const State& state) {
  state.reach(scene);
  scene.end = state.end;
  scene.stage.heard(scene.client);
}

std::string play(const State& state, const Event& departure) {
  Scene scene;
  reach(scene, state);
  departure.happen(scene);
  return outcome(scene);
}

std::string play(const State& state, const Event& departure, const Event& then) {
  Scene scene;
  reach(scene, state);
  departure.happen(scene);
  if (scene.stage.is_closed(scene.client)) return "-";
  then.happen(scene);
  return outcome(scene);
}

//   stays   it may end its transaction, or read its answer
//   goes    it is told that pgweir ends, and its connection ends
//   removed it is told that its database is not configured any more, and its connection ends
//   mute    its connection ends without a word: it would be read as data
//   lost    it is told that its server is gone       !  something was cut, as the shell is told
TEST(DeparturesMatrix, every_departure_in_every_situation_of_a_client) {
  const std::vector<Event> departures{kDrain, kDrainNow, kRemoved};
  base::expect_matrix(
      R"(
                  Drain DrainNow Removed
    AtRest        goes  goes     removed
    Arriving      stays goes!    removed
    Waiting       stays goes!    removed
    InHalfQuery   goes  goes     removed
    InLongQuery   stays goes!    stays
    Running       stays goes!    stays
    InAnswer      stays goes!    stays
    InRow         stays mute!    stays
    InBatch       stays goes!    stays
    InCopy        stays goes!    stays
    InBlock       stays goes!    stays
    Pinned        goes  goes     removed
    PinnedInBlock stays goes!    stays
    PinnedHalf    stays goes!    stays
    AskedAbout    stays goes!    stays
    Unread        stays mute!    stays
  )",
      base::names_of(kStates), base::names_of(departures),
      [&](std::size_t state, std::size_t event) {
        return play(kStates[state], departures[event]);
      });
}

// `-`: it has gone already. `More`: its server says something that ends nothing.
TEST(DeparturesMatrix, whatever_happens_to_those_who_stay_while_pgweir_ends) {
  const std::vector<Event> events{kEnd, kMore, kLost, kTimeUp, kAgain, kDrainNow, kRemoved};
  base::expect_matrix(
      R"(
                  End  More  Lost  TimeUp Again DrainNow Removed
    AtRest        -    -     -     -      -     -        -
    Arriving      goes stays stays goes!  goes! goes!    goes
    Waiting       goes stays stays goes!  goes! goes!    goes
    InHalfQuery   -    -     -     -      -     -        -
    InLongQuery   goes stays lost  goes!  goes! goes!    stays
    Running       goes stays lost  goes!  goes! goes!    stays
    InAnswer      goes stays lost  goes!  goes! goes!    stays
    InRow         goes stays mute  mute!  mute! mute!    stays
    InBatch       goes stays lost  goes!  goes! goes!    stays
    InCopy        goes stays lost  goes!  goes! goes!    stays
    InBlock       goes stays lost  goes!  goes! goes!    stays
    Pinned        -    -     -     -      -     -        -
    PinnedInBlock goes stays lost  goes!  goes! goes!    stays
    PinnedHalf    goes stays lost  goes!  goes! goes!    stays
    AskedAbout    goes stays lost  goes!  goes! goes!    stays
    Unread        goes stays stays mute!  mute! mute!    stays
  )",
      base::names_of(kStates), base::names_of(events), [&](std::size_t state, std::size_t event) {
        return play(kStates[state], kDrain, events[event]);
      });
}

// `Restored`: the database is configured again before what is under way ends.
TEST(DeparturesMatrix, whatever_happens_to_those_who_stay_though_their_database_is_removed) {
  const std::vector<Event> events{kEnd, kMore, kLost, kRestored, kDrain, kDrainNow, kRemoved};
  base::expect_matrix(
      R"(
                  End     More  Lost  Restored Drain DrainNow Removed
    AtRest        -       -     -     -        -     -        -
    Arriving      -       -     -     -        -     -        -
    Waiting       -       -     -     -        -     -        -
    InHalfQuery   -       -     -     -        -     -        -
    InLongQuery   removed stays lost  stays    stays goes!    stays
    Running       removed stays lost  stays    stays goes!    stays
    InAnswer      removed stays lost  stays    stays goes!    stays
    InRow         removed stays mute  stays    stays mute!    stays
    InBatch       removed stays lost  stays    stays goes!    stays
    InCopy        removed stays lost  stays    stays goes!    stays
    InBlock       removed stays lost  stays    stays goes!    stays
    Pinned        -       -     -     -        -     -        -
    PinnedInBlock removed stays lost  stays    stays goes!    stays
    PinnedHalf    removed stays lost  stays    stays goes!    stays
    AskedAbout    removed stays lost  stays    stays goes!    stays
    Unread        removed stays stays stays    stays mute!    stays
  )",
      base::names_of(kStates), base::names_of(events), [&](std::size_t state, std::size_t event) {
        return play(kStates[state], kRemoved, events[event]);
      });
}

}  // namespace
}  // namespace pgweir::proxy

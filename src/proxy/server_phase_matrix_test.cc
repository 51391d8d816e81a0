// A server connection in each phase, and whatever can happen to it: what it is told next, whether
// it may be lent, and whether its client has to go with it.
// Source of truth: PostgreSQL manual "Message Flow", and ARCHITECTURE.md, "What never happens".

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/matrix_test.h"
#include "proxy/server.h"
#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using Phase = Server::Phase;
using std::chrono::seconds;

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::Connecting: return "Connecting";
    case Phase::Serving: return "Serving";
    case Phase::Recovering: return "Recovering";
    case Phase::Resetting: return "Resetting";
    case Phase::Asking: return "Asking";
    case Phase::Terminating: return "Terminating";
  }
  return {};
}

// One server, and one client that may have it or have had it.
struct Scene {
  explicit Scene(bool is_reset_always)
      : stage(1, [&](Options& options) { options.has_reset_always = is_reset_always; }) {}

  void say(std::string_view bytes) { stage.say(stage.server(), bytes); }
  void ask(std::string_view sql) { stage.say(client, say::query(sql)); }
  void begin() {
    ask("begin");
    say(say::complete("BEGIN") + say::ready('T'));
  }
  void vanish() {
    stage.end(client);
    client = Party::None;
  }
  void ask_for_control() {
    auto errand = std::make_unique<RunErrand>();
    errand->database = errand->user = "app";
    errand->sql = "select 1";
    errand->time_max = seconds(5);
    stage.deliver(std::move(errand));
  }
  // False if none is under way.
  bool conclude_cancel(bool is_confirmed) {
    const auto orders = stage.take<DeliverCancel>();
    if (orders.empty()) return false;
    auto delivered = std::make_unique<CancelDelivered>();
    delivered->token = orders[0]->token;
    delivered->is_confirmed = is_confirmed;
    stage.deliver(std::move(delivered));
    return true;
  }

  Stage stage;
  Party client = Party::None;  // While it is there.
};

using Step = std::function<void(Scene&)>;

struct State {
  std::string_view name;  // Begins with its phase's.
  Step reach;
};

const std::vector<State> kStates{
    {"Connecting", {}},
    {"ServingIdle", [](Scene&) {}},
    {"ServingQuery", [](Scene& scene) { scene.ask("select 1"); }},
    {"ServingBlock", [](Scene& scene) { scene.begin(); }},
    {"ServingAsked",  // Whether anything is left of what pinned its client.
     [](Scene& scene) {
       scene.ask("select pg_try_advisory_lock(1)");
       scene.say(say::one_row());
     }},
    {"RecoveringQuery",
     [](Scene& scene) {
       scene.ask("select pg_sleep(100)");
       scene.vanish();
     }},
    {"RecoveringTwo",
     [](Scene& scene) {
       scene.ask("select pg_sleep(100)");
       scene.ask("select 2");
       scene.vanish();
     }},
    {"RecoveringRows",
     [](Scene& scene) {
       scene.ask("copy t to stdout");
       scene.say(say::copy_out() + say::copy_data("1\n"));
       scene.vanish();
     }},
    {"RecoveringCancel",  // Its answer is here, but the cancel may still strike.
     [](Scene& scene) {
       scene.ask("select pg_sleep(100)");
       scene.vanish();
       scene.say(say::error("57014") + say::ready());
     }},
    {"RecoveringBlock",
     [](Scene& scene) {
       scene.begin();
       scene.vanish();
     }},
    {"RecoveringBatch",
     [](Scene& scene) {
       scene.stage.say(scene.client, say::parse("", "select 1") + say::flush());
       scene.say(say::parse_complete());
       scene.vanish();
     }},
    {"RecoveringSkip",
     [](Scene& scene) {
       scene.stage.say(scene.client, say::parse("", "select no") + say::flush());
       scene.say(say::error("42703"));
       scene.vanish();
     }},
    {"RecoveringCopy",
     [](Scene& scene) {
       scene.ask("copy t from stdin");
       scene.say(say::copy_in());
       scene.vanish();
     }},
    {"RecoveringLeft",  // What its client asked for in front of its good-bye.
     [](Scene& scene) {
       scene.ask("insert into t values (1)");
       scene.stage.say(scene.client, say::terminate());
       scene.client = Party::None;
     }},
    {"Resetting",
     [](Scene& scene) {
       scene.ask("select 1");
       scene.say(say::one_row());
       scene.vanish();
     }},
    {"Asking", [](Scene& scene) { scene.ask_for_control(); }},
    {"Terminating",
     [](Scene& scene) {
       scene.ask("select pg_sleep(100)");
       scene.vanish();
       scene.conclude_cancel(false);
     }},
};

struct Event {
  std::string_view name;
  std::function<bool(Scene&)> happen;  // False: it cannot.
};

std::function<bool(Scene&)> says(const std::string& bytes) {
  return [bytes](Scene& scene) {
    if (scene.stage.server_count() == 0) return false;
    scene.say(bytes);
    return true;
  };
}
std::function<bool(Scene&)> ends(base::CloseCause cause) {
  return [cause](Scene& scene) {
    if (scene.stage.server_count() == 0) return false;
    scene.stage.end(scene.stage.server(), cause);
    return true;
  };
}

const std::vector<Event> kSayings{
    {"Ready", says(say::ready())},
    {"Answer", says(say::complete("DONE") + say::ready())},
    {"InBlock", says(say::complete("DONE") + say::ready('T'))},
    {"Failure", says(say::error("57014") + say::ready())},
    {"Notice", says(say::notice())},
    {"Unasked", says(say::parse_complete())},
    {"Fatal", says(say::report('E', "FATAL", "57P01", "the administrator says so"))},
    {"CopyIn", says(say::copy_in())},
};
const std::vector<Event> kHappenings{
    {"Eof", ends(base::CloseCause::Eof)},
    {"Reset", ends(base::CloseCause::Reset)},
    {"Cancelled", [](Scene& scene) { return scene.conclude_cancel(true); }},
    {"NotCancelled", [](Scene& scene) { return scene.conclude_cancel(false); }},
    {"Time",
     [](Scene& scene) {
       scene.stage.pass(seconds(12));
       return true;
     }},
    {"Writable",
     [](Scene& scene) {
       if (scene.stage.server_count() == 0) return false;
       scene.stage.give_room(scene.stage.server());
       return true;
     }},
};

std::string word_of(const std::string& told) {
  if (told == say::query("ROLLBACK")) return "rollback";
  if (told == say::query("DISCARD ALL")) return "discard";
  if (told.front() == 'f') return "copyfail";
  return told == say::terminate() ? "terminate" : "?";
}

std::string outcome(Scene& scene) {
  Stage& stage = scene.stage;
  if (stage.server_count() == 0) return "held";
  const std::string told = stage.heard(stage.server());
  if (!told.empty()) return word_of(told);
  if (stage.is_closed(stage.server())) return stage.take<ServerLost>().empty() ? "ended" : "lost";
  // Whether the next who comes gets it.
  stage.say(stage.add_client(), say::query("select 2"));
  return stage.heard(stage.server()) == say::query("select 2") ? "idle" : "held";
}

std::string play(const State& state, const Event& event) {
  Scene scene(state.name == "Resetting");
  scene.stage.has_slow_logins = state.name == "Connecting";
  scene.client = scene.stage.add_client();
  if (state.reach) state.reach(scene);
  if (scene.stage.server_count() != 0) scene.stage.heard(scene.stage.server());
  if (!event.happen(scene)) return "-";
  const bool ends_client = scene.client != Party::None && scene.stage.is_closed(scene.client);
  return outcome(scene) + (ends_client ? "!" : "");
}

// What becomes of the server.
//   idle      it may be lent        held       it may not: it is in use, or its end is awaited
//   rollback, discard, copyfail, terminate     what it is told
//   ended     and its permit is free           lost  its permit stays out: its end was not seen
//   !         its client's connection ends     -     this cannot be
TEST(ServerPhaseMatrix, whatever_it_says_in_every_phase) {
  base::expect_matrix(
      R"(
                     Ready      Answer     InBlock    Failure   Notice Unasked    Fatal CopyIn
    Connecting       -          -          -          -         -      -          -     -
    ServingIdle      terminate  terminate  terminate  held      idle   terminate  held  terminate
    ServingQuery     idle       idle       held       idle      held   terminate! held  held
    ServingBlock     terminate! terminate! terminate! held!     held   terminate! held  terminate!
    ServingAsked     held       held       held       held      held   terminate! held  held
    RecoveringQuery  held       held       held       held      held   terminate  held  copyfail
    RecoveringTwo    held       held       held       held      held   terminate  held  copyfail
    RecoveringRows   held       held       held       held      held   terminate  held  copyfail
    RecoveringCancel terminate  terminate  terminate  held      held   terminate  held  terminate
    RecoveringBlock  idle       idle       rollback   idle      held   terminate  held  copyfail
    RecoveringBatch  idle       terminate  terminate  idle      held   terminate  held  terminate
    RecoveringSkip   idle       terminate  terminate  idle      held   terminate  held  terminate
    RecoveringCopy   idle       idle       rollback   idle      held   terminate  held  copyfail
    RecoveringLeft   idle       idle       rollback   idle      held   terminate  held  copyfail
    Resetting        idle       idle       rollback   terminate held   terminate  held  copyfail
    Asking           idle       idle       rollback   idle      held   terminate  held  held
    Terminating      held       held       held       held      held   held       held  held
  )",
      base::names_of(kStates), base::names_of(kSayings),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kSayings[event]); });
}

TEST(ServerPhaseMatrix, whatever_happens_in_every_phase) {
  base::expect_matrix(R"(
                     Eof    Reset Cancelled NotCancelled Time      Writable
    Connecting       -      -     -         -            held      -
    ServingIdle      ended  lost  -         -            idle      idle
    ServingQuery     ended! lost! -         -            held      held
    ServingBlock     ended! lost! -         -            held      held
    ServingAsked     ended! lost! -         -            held      held
    RecoveringQuery  ended  lost  held      terminate    terminate held
    RecoveringTwo    ended  lost  held      terminate    terminate held
    RecoveringRows   ended  lost  held      terminate    terminate held
    RecoveringCancel ended  lost  idle      terminate    terminate held
    RecoveringBlock  ended  lost  -         -            terminate held
    RecoveringBatch  ended  lost  -         -            terminate held
    RecoveringSkip   ended  lost  -         -            terminate held
    RecoveringCopy   ended  lost  -         -            terminate held
    RecoveringLeft   ended  lost  -         -            held      held
    Resetting        ended  lost  -         -            terminate held
    Asking           ended  lost  -         -            terminate held
    Terminating      ended  lost  held      held         lost      held
  )",
                      base::names_of(kStates), base::names_of(kHappenings),
                      [](std::size_t state, std::size_t event) {
                        return play(kStates[state], kHappenings[event]);
                      });
}

TEST(ServerPhaseMatrix, has_every_phase) {
  for (const std::string_view phase : base::names_of<Phase>(name_of)) {
    EXPECT_TRUE(std::any_of(kStates.begin(), kStates.end(), [&](const State& state) {
      return state.name.starts_with(phase);
    })) << phase;
  }
}

}  // namespace
}  // namespace pgweir::proxy

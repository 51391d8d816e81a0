// AllowanceTracker in each of its states: what a look, its failure or a refusal makes of its
// limits, and when it looks again.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "budget/allowance_tracker.h"

namespace pgweir::budget {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kMargin = 3;

// What a look finds that leaves `limit` to us.
ServerFacts facts_of(std::int64_t limit, std::int64_t ours = 0) {
  return {.version = 150004,
          .max_connections = 100,
          .others_total = 100 - kMargin - limit,
          .ours = ours};
}
// The same, with a role and a database that are left `limit`.
ServerFacts levels_of(std::int64_t limit, std::int64_t ours_of_role = 0,
                      std::int64_t ours_of_database = 0) {
  ServerFacts facts = facts_of(97);
  facts.roles = {{.name = "a", .limit = limit + kMargin, .ours = ours_of_role}};
  facts.databases = {{.name = "a", .limit = limit + kMargin, .ours = ours_of_database}};
  return facts;
}
ServerFacts pooler() {
  ServerFacts facts = levels_of(12);
  facts.is_behind_pooler = true;
  return facts;
}

struct Scene {
  void look(const ServerFacts& facts) { tracker.handle_facts(facts, now); }
  void look_on(const ServerFacts& facts) {
    look(facts);
    now += seconds(10);
  }

  AllowanceTracker tracker;
  base::Instant now{seconds(100)};
};

struct Step {
  std::string_view name;
  std::function<void(Scene&)> happen;
};
Step looks(std::string_view name, const ServerFacts& facts) {
  return {name, [facts](Scene& scene) { scene.look(facts); }};
}

// Those whose name begins with Set have a configured limit.
const std::vector<Step> kServerStates{
    {"New", [](Scene&) {}},
    looks("Found", facts_of(40)),
    looks("Tight", facts_of(40, 38)),
    looks("Odd", {}),
    {"FoundOdd",
     [](Scene& scene) {
       scene.look(facts_of(40));
       scene.look({});
     }},
    {"Due",
     [](Scene& scene) {
       scene.look(facts_of(40));
       scene.look_on(facts_of(80));
     }},
    {"SetNew", [](Scene&) {}},
    looks("SetFound", facts_of(40)),
    looks("SetTight", facts_of(40, 38)),
    looks("SetLow", facts_of(5)),
};
const std::vector<Step> kLevelStates{
    {"New", [](Scene&) {}},
    looks("Free", facts_of(97)),
    looks("Held", levels_of(40)),
    looks("Tight", levels_of(40, 38)),
    {"HeldOdd",
     [](Scene& scene) {
       scene.look(levels_of(40));
       scene.look({});
     }},
    {"DueHigher",
     [](Scene& scene) {
       scene.look(levels_of(40));
       scene.look_on(levels_of(80));
     }},
    {"DueFree",
     [](Scene& scene) {
       scene.look(levels_of(40));
       scene.look_on(facts_of(97));
     }},
};

const std::vector<Step> kServerEvents{
    looks("12", facts_of(12)),
    looks("40", facts_of(40)),
    looks("60", facts_of(60)),
    looks("Scarce", facts_of(40, 38)),
    looks("Nonsense", {}),
    looks("Pooler", pooler()),
    {"Failed", [](Scene& scene) { scene.tracker.handle_look_failed(scene.now); }},
    {"Refused", [](Scene& scene) { scene.tracker.handle_refused(scene.now); }},
};
const std::vector<Step> kLevelEvents{
    looks("12", levels_of(12)),
    looks("40", levels_of(40)),
    looks("60", levels_of(60)),
    looks("OfRole", levels_of(40, 38)),
    looks("OfDatabase", levels_of(40, 0, 38)),
    looks("Gone", facts_of(97)),
    looks("Nonsense", {}),
    looks("Pooler", pooler()),
    {"Failed", [](Scene& scene) { scene.tracker.handle_look_failed(scene.now); }},
    {"Refused", [](Scene& scene) { scene.tracker.handle_refused(scene.now); }},
};

std::string show(std::uint32_t limit, const Scene& scene) {
  const base::Duration left = std::max(scene.tracker.next_look(), scene.now) - scene.now;
  return (limit == pool::kUnlimited ? "none" : std::to_string(limit)) + ":" +
         std::to_string(left / seconds(1));
}

std::string play_server(const Step& state, const Step& event) {
  const std::uint32_t configured = state.name.starts_with("Set") ? 9 : 0;
  Scene scene{AllowanceTracker({.connection_limit = configured, .margin = kMargin})};
  state.happen(scene);
  event.happen(scene);
  return show(scene.tracker.limit(), scene);
}

std::string play_level(const Step& state, const Step& event) {
  Scene scene{AllowanceTracker({.margin = kMargin})};
  state.happen(scene);
  event.happen(scene);
  const Limits limits = scene.tracker.limits();
  EXPECT_EQ(limits.of_role("a"), limits.of_database("a"));
  return show(limits.of_role("a"), scene);
}

// The limit, and in how many seconds the next look is due. A look that is named by a number leaves
// so much to us; `Scarce` leaves little free.
TEST(AllowanceTrackerMatrix, every_event_in_every_state) {
  base::expect_matrix(
      R"(
             12   40   60   Scarce Nonsense Pooler Failed Refused
    New      12:5 40:5 60:5 40:1   none:5   none:5 none:5 none:0
    Found    12:5 40:5 40:5 40:1   40:5     40:5   40:5   40:0
    Tight    12:5 40:5 40:5 40:1   40:5     40:5   40:1   40:0
    Odd      12:5 40:5 60:5 40:1   none:5   none:5 none:5 none:0
    FoundOdd 12:5 40:5 40:5 40:1   40:5     40:5   40:5   40:0
    Due      12:5 40:5 45:5 40:1   40:5     40:5   40:5   40:0
    SetNew   9:5  9:5  9:5  9:1    9:5      9:5    9:5    9:0
    SetFound 9:5  9:5  9:5  9:1    9:5      9:5    9:5    9:0
    SetTight 9:5  9:5  9:5  9:1    9:5      9:5    9:1    9:0
    SetLow   5:5  5:5  5:5  5:1    5:5      5:5    5:5    5:0
  )",
      base::names_of(kServerStates), base::names_of(kServerEvents),
      [](std::size_t state, std::size_t event) {
        return play_server(kServerStates[state], kServerEvents[event]);
      });
}

// The same of a role and of a database, of which one or the other has little left.
TEST(AllowanceTrackerMatrix, every_event_in_every_state_of_a_role_and_of_a_database) {
  base::expect_matrix(
      R"(
              12   40   60   OfRole OfDatabase Gone   Nonsense Pooler Failed Refused
    New       12:5 40:5 60:5 40:1   40:1       none:5 none:5   none:5 none:5 none:0
    Free      12:5 40:5 60:5 40:1   40:1       none:5 none:5   none:5 none:5 none:0
    Held      12:5 40:5 40:5 40:1   40:1       40:5   40:5     40:5   40:5   40:0
    Tight     12:5 40:5 40:5 40:1   40:1       40:5   40:5     40:5   40:1   40:0
    HeldOdd   12:5 40:5 40:5 40:1   40:1       40:5   40:5     40:5   40:5   40:0
    DueHigher 12:5 40:5 45:5 40:1   40:1       50:5   40:5     40:5   40:5   40:0
    DueFree   12:5 40:5 45:5 40:1   40:1       none:5 40:5     40:5   40:5   40:0
  )",
      base::names_of(kLevelStates), base::names_of(kLevelEvents),
      [](std::size_t state, std::size_t event) {
        return play_level(kLevelStates[state], kLevelEvents[event]);
      });
}

}  // namespace
}  // namespace pgweir::budget

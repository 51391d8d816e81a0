// ParameterTracker: what a parameter is when a transaction has ended, for each state of it and each
// way to end. Source of truth: PostgreSQL manual, SET, RESET, SAVEPOINT, ROLLBACK TO SAVEPOINT and
// RELEASE SAVEPOINT.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "session/parameter_tracker.h"

namespace pgweir::session {
namespace {

// A client that brought a=0 at its startup.
struct Scene {
  Scene() {
    on_server = table.intern({{"a", {.text = "0", .is_source = false}}});
    tracker.emplace(table, on_server);
  }
  ~Scene() {
    tracker.reset();
    table.release(on_server);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  void set(std::string_view value) {
    tracker->set("a", {.text = std::string(value), .is_source = true});
  }
  void end(bool is_committed) { tracker->handle_transaction_end(is_committed, on_server); }
  void commit(std::string_view value) {
    set(value);
    end(true);
  }

  ParameterTable table;
  ParameterSetId on_server{};
  std::optional<ParameterTracker> tracker;
};

struct Move {
  std::string_view name;
  std::size_t savepoint_count;  // Of a state: called "s". Of an end: that it needs.
  std::function<void(Scene&)> make;
};

const std::vector<Move> kStates{
    {"Fresh", 0, [](Scene&) {}},
    {"Set", 0, [](Scene& scene) { scene.set("1"); }},
    {"SetTwice", 0,
     [](Scene& scene) {
       scene.set("1");
       scene.set("2");
     }},
    {"SaveSet", 1,
     [](Scene& scene) {
       scene.tracker->savepoint("s");
       scene.set("1");
     }},
    {"SetSaveSet", 1,
     [](Scene& scene) {
       scene.set("1");
       scene.tracker->savepoint("s");
       scene.set("2");
     }},
    {"Nested", 2,
     [](Scene& scene) {
       scene.set("1");
       scene.tracker->savepoint("s");
       scene.set("2");
       scene.tracker->savepoint("s");
       scene.set("3");
     }},
    {"Committed", 0, [](Scene& scene) { scene.commit("5"); }},
    {"Reset", 0,
     [](Scene& scene) {
       scene.commit("5");
       scene.tracker->reset("a");
     }},
    {"SaveReset", 1,
     [](Scene& scene) {
       scene.commit("5");
       scene.tracker->savepoint("s");
       scene.tracker->reset("a");
     }},
    {"SaveResetAll", 1,
     [](Scene& scene) {
       scene.commit("5");
       scene.tracker->savepoint("s");
       scene.tracker->reset_all();
     }},
};

// All but Rollback commit at last.
const std::vector<Move> kEnds{
    {"Commit", 0, [](Scene& scene) { scene.end(true); }},
    {"Rollback", 0, [](Scene& scene) { scene.end(false); }},
    {"Set9", 0, [](Scene& scene) { scene.commit("9"); }},
    {"To", 1,
     [](Scene& scene) {
       scene.tracker->rollback_to("s");
       scene.end(true);
     }},
    {"ToTwice", 1,
     [](Scene& scene) {
       scene.tracker->rollback_to("s");
       scene.tracker->rollback_to("s");
       scene.end(true);
     }},
    {"ToSet9", 1,
     [](Scene& scene) {
       scene.tracker->rollback_to("s");
       scene.commit("9");
     }},
    {"Release", 1,
     [](Scene& scene) {
       scene.tracker->release("s");
       scene.end(true);
     }},
    {"ReleaseTo", 2,
     [](Scene& scene) {
       scene.tracker->release("s");
       scene.tracker->rollback_to("s");
       scene.end(true);
     }},
    {"ReleaseRollback", 1,
     [](Scene& scene) {
       scene.tracker->release("s");
       scene.end(false);
     }},
};

std::string play(const Move& state, const Move& end) {
  if (state.savepoint_count < end.savepoint_count) return "-";
  Scene scene;
  state.make(scene);
  end.make(scene);
  const ParameterValue* value = scene.table.find(scene.tracker->committed(), "a");
  return value == nullptr ? "none" : value->text;
}

// What the client's `a` is afterwards; `-`: there is no such savepoint, and the server says so.
TEST(ParameterTrackerMatrix, every_end_of_every_transaction) {
  base::expect_matrix(
      R"(
                 Commit Rollback Set9 To ToTwice ToSet9 Release ReleaseTo ReleaseRollback
    Fresh        0      0        9    -  -       -      -       -         -
    Set          1      0        9    -  -       -      -       -         -
    SetTwice     2      0        9    -  -       -      -       -         -
    SaveSet      1      0        9    0  0       9      1       -         0
    SetSaveSet   2      0        9    1  1       9      2       -         0
    Nested       3      0        9    2  2       9      3       1         0
    Committed    5      5        9    -  -       -      -       -         -
    Reset        0      5        9    -  -       -      -       -         -
    SaveReset    0      5        9    5  5       9      0       -         5
    SaveResetAll 0      5        9    5  5       9      0       -         5
  )",
      base::names_of(kStates), base::names_of(kEnds),
      [](std::size_t state, std::size_t end) { return play(kStates[state], kEnds[end]); });
}

}  // namespace
}  // namespace pgweir::session

// LostBackends: where one backend is, and what can happen to it.

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "control/lost_backends.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant kStart{1h};
constexpr int kPid = 4711;

// One backend, and how often somebody was told that it is gone.
struct Stage {
  LostBackends lost;
  int told = 0;

  void lose() {
    const LostBackends::Gone former = lost.add(
        kPid, [this] { ++told; }, kStart);
    if (former) former();
  }
  void ask() { lost.question(kStart + 1s); }
  void answer(const Rows& rows) {
    for (const LostBackends::Gone& gone : lost.handle_answer(rows)) gone();
  }
};

struct Step {
  std::string_view name;
  void (*happen)(Stage&);
};
const std::vector<Step> kStates{
    {"Unknown", [](Stage&) {}},
    {"Lost", [](Stage& stage) { stage.lose(); }},
    {"AskedFor",
     [](Stage& stage) {
       stage.lose();
       stage.ask();
     }},
    {"AskedAgain",
     [](Stage& stage) {
       stage.lose();
       stage.ask();
       stage.ask();
     }},
    {"LostAgain",
     [](Stage& stage) {
       stage.lose();
       stage.ask();
       stage.lose();
       stage.told = 0;
     }},
};
const std::vector<Step> kEvents{
    {"Lost", [](Stage& stage) { stage.lose(); }},
    {"Asked", [](Stage& stage) { stage.ask(); }},
    {"There", [](Stage& stage) { stage.answer({{std::to_string(kPid)}}); }},
    {"Other", [](Stage& stage) { stage.answer({{"12"}}); }},
    {"Null", [](Stage& stage) { stage.answer({{std::nullopt}}); }},
    {"None", [](Stage& stage) { stage.answer({}); }},
};

std::string play(const Step& state, const Step& event) {
  Stage stage;
  state.happen(stage);
  event.happen(stage);
  EXPECT_LE(stage.told, 1);
  return std::string(stage.told == 1 ? "gone" : "") + (stage.lost.count() == 1 ? "kept" : "-");
}

// States: `Lost` since the last question, in which it was `AskedFor`. Events: it is lost; all are
// asked for; the answer names it, another one, nothing that is a pid, or nobody.
// Cells: `kept`, where its end is still waited for, and `gone`, where somebody was told of it.
TEST(LostBackendsMatrix, every_event_in_every_state) {
  base::expect_matrix(
      R"(
                 Lost     Asked There Other Null  None
      Unknown    kept     -     -     -     -     -
      Lost       gonekept kept  kept  kept  kept  kept
      AskedFor   gonekept kept  kept  gone- gone- gone-
      AskedAgain gonekept kept  kept  gone- gone- gone-
      LostAgain  gonekept kept  kept  kept  kept  kept
  )",
      base::names_of(kStates), base::names_of(kEvents),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kEvents[event]); });
}

TEST(LostBackendsTest, says_for_how_long_each_has_been_lost) {
  LostBackends lost;
  lost.add(kPid, nullptr, kStart);
  EXPECT_EQ(lost.question(kStart + 1500ms).parameters,
            (std::vector<std::string>{"{4711}", "{1.500}"}));
  lost.add(12, nullptr, kStart + 1s);
  const std::vector<std::string> both = lost.question(kStart + 2s).parameters;
  EXPECT_TRUE(both[0] == "{4711,12}" || both[0] == "{12,4711}") << both[0];
}

}  // namespace
}  // namespace pgweir::control

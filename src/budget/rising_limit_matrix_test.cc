// RisingLimit in each of its states: what each look makes of the limit, and whether it goes on
// waiting to rise.

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "budget/rising_limit.h"

namespace pgweir::budget {
namespace {

using std::chrono::seconds;

struct Look {
  seconds ago;
  std::uint32_t found;
};
struct State {
  std::string_view name;
  std::vector<Look> looks;
};
const std::vector<State> kStates{
    {"New", {}},
    {"Steady", {{seconds(20), 40}, {seconds(6), 40}}},
    {"Waiting", {{seconds(20), 40}, {seconds(6), 60}}},
    {"WaitingForLess", {{seconds(20), 40}, {seconds(6), 60}, {seconds(3), 44}}},
    {"Due", {{seconds(20), 40}, {seconds(10), 60}}},
    {"Rising", {{seconds(20), 40}, {seconds(11), 60}, {seconds(1), 60}}},
    {"Risen", {{seconds(20), 40}, {seconds(11), 41}, {seconds(1), 41}}},
    {"WaitingForNone", {{seconds(20), 40}, {seconds(6), pool::kUnlimited}}},
    {"DueForNone", {{seconds(20), 40}, {seconds(10), pool::kUnlimited}}},
    {"None", {{seconds(20), pool::kUnlimited}}},
    {"Shut", {{seconds(20), 0}}},
};
struct Found {
  std::string_view name;
  std::uint32_t count;
};
const std::vector<Found> kLooks{{"0", 0},   {"30", 30}, {"40", 40},
                                {"41", 41}, {"60", 60}, {"None", pool::kUnlimited}};

constexpr base::Instant kNow{seconds(100)};

std::string text_of(const RisingLimit& limit) {
  EXPECT_EQ(limit.is_gone(), limit.get() == pool::kUnlimited);
  return limit.is_gone() ? "none" : std::to_string(limit.get().value());
}

std::string play(const State& state, const Found& look) {
  RisingLimit limit;
  for (const auto& [ago, found] : state.looks) limit.follow(found, kNow - ago);
  limit.follow(look.count, kNow);
  const std::string at_once = text_of(limit);
  limit.follow(100, kNow + seconds(9));
  return at_once + ">" + text_of(limit);
}

// The limit, and what it becomes if the next look finds 100, 9 s later: less than what a limit
// waits that begins with this look.
TEST(RisingLimitMatrix, every_look_in_every_state) {
  base::expect_matrix(
      R"(
                   0    30    40    41    60    None
    New            0>0  30>30 40>40 41>41 60>60 none>100
    Steady         0>0  30>30 40>40 40>40 40>40 40>40
    Waiting        0>0  30>30 40>40 40>41 40>45 40>45
    WaitingForLess 0>0  30>30 40>40 40>41 40>41 40>41
    Due            0>0  30>30 40>40 41>41 45>48 45>48
    Rising         0>0  30>30 40>40 41>41 48>51 48>51
    Risen          0>0  30>30 40>40 41>41 41>41 41>41
    WaitingForNone 0>0  30>30 40>40 40>41 40>45 40>55
    DueForNone     0>0  30>30 40>40 41>41 45>48 none>100
    None           0>0  30>30 40>40 41>41 60>60 none>100
    Shut           0>0  0>0   0>0   0>0   0>0   0>0
  )",
      base::names_of(kStates), base::names_of(kLooks),
      [](std::size_t state, std::size_t look) { return play(kStates[state], kLooks[look]); });
}

}  // namespace
}  // namespace pgweir::budget

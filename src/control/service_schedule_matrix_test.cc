// ServiceSchedule in all its states: what comes next, and when, after each thing that can happen.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "control/service_schedule.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant kNow{1h};

ServiceSchedule begun(base::Instant when) { return {budget::Options{}, 1, when}; }
ServiceSchedule idle() {
  ServiceSchedule schedule = begun(kNow);
  schedule.handle_discovered(kNow + 5s, kNow);
  return schedule;
}
ServiceSchedule busy() {
  ServiceSchedule schedule = idle();
  schedule.handle_clients(Clients::Active, kNow);
  return schedule;
}
// Nobody has been there for two minutes.
ServiceSchedule deserted() {
  ServiceSchedule schedule = begun(kNow - 120s);
  schedule.handle_discovered(kNow, kNow - 5s);
  return schedule;
}

void come(ServiceSchedule& schedule) { schedule.handle_clients(Clients::Active, kNow); }
void leave(ServiceSchedule& schedule) { schedule.handle_clients(Clients::None, kNow); }
void rest(ServiceSchedule& schedule) { schedule.handle_clients(Clients::AtRest, kNow); }
void discover(ServiceSchedule& schedule) { schedule.handle_discovered(kNow + 5s, kNow); }
void measure(ServiceSchedule& schedule) { schedule.handle_measured(kNow); }
void refuse(ServiceSchedule& schedule) { schedule.handle_refused(kNow); }
void fail(ServiceSchedule& schedule) { schedule.handle_failed(false, kNow); }
void fail_for_good(ServiceSchedule& schedule) { schedule.handle_failed(true, kNow); }
void crowd_out(ServiceSchedule& schedule) { schedule.handle_crowded_out(kNow); }
void lose(ServiceSchedule& schedule) { schedule.handle_lost(1); }
void be_guest(ServiceSchedule& schedule) { schedule.set_guest(true); }

struct Event {
  std::string_view name;
  void (*happen)(ServiceSchedule&);
};
const std::vector<Event> kEvents{
    {"Nothing", [](ServiceSchedule&) {}},
    {"Come", come},
    {"Leave", leave},
    {"Rest", rest},
    {"Found", discover},
    {"Counted", measure},
    {"Refused", refuse},
    {"Failed", fail},
    {"ForGood", fail_for_good},
    {"Crowded", crowd_out},
    {"Lost", lose},
    {"Guest", be_guest},
};

struct State {
  std::string_view name;
  bool is_connected;
  std::function<ServiceSchedule()> make;
};
ServiceSchedule after(ServiceSchedule schedule, void (*happen)(ServiceSchedule&)) {
  happen(schedule);
  return schedule;
}
const std::vector<State> kStates{
    {"New", false, [] { return begun(kNow); }},
    {"Idle", true, idle},
    {"Busy", true, busy},
    {"Resting", true, [] { return after(busy(), rest); }},
    {"Deserted", true, deserted},
    {"Asleep", false, deserted},
    {"Failing", false, [] { return after(begun(kNow), fail); }},
    {"Shunned", false, [] { return after(begun(kNow), fail_for_good); }},
    {"CrowdedOut", false, [] { return after(begun(kNow), crowd_out); }},
    {"Losing", true, [] { return after(idle(), lose); }},
    {"Guest", false, [] { return after(busy(), be_guest); }},
};

std::string_view letter_of(Errand errand) {
  switch (errand) {
    case Errand::None: return "-";
    case Errand::Discover: return "D";
    case Errand::Measure: return "M";
    case Errand::FindLost: return "L";
    case Errand::Close: return "C";
  }
  return {};
}

std::string play(const State& state, const Event& event) {
  ServiceSchedule schedule = after(state.make(), event.happen);
  const base::Instant due = schedule.due(state.is_connected);
  if (due == base::kNever) return "-";
  const base::Instant then = std::max(due, kNow);
  const std::string errand(letter_of(schedule.next(state.is_connected, then)));
  if (then == kNow) return errand + "0";
  if (then < kNow + 700ms) return errand + "soon";
  if (then > kNow + 20s && then < kNow + 40s) return errand + "30";
  return errand +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(then - kNow).count());
}

// D discover, M measure, L find lost backends, C close; behind it in how many seconds, where `soon`
// is less than one, and 30 is give or take a quarter. `-`: nothing until something happens.
TEST(ServiceScheduleMatrix, every_event_in_every_state) {
  base::expect_matrix(
      R"(
               Nothing Come  Leave Rest  Found Counted Refused Failed ForGood Crowded Lost  Guest
    New        D0      D0    D0    D0    D5    D0      D0      Dsoon  D30     Dsoon   D0    D0
    Idle       D5      M1    D5    D5    D5    D5      Dsoon   Dsoon  D30     D5      L1    C0
    Busy       M1      M1    D5    D5    M1    M1      Dsoon   Dsoon  D30     M1      L1    C0
    Resting    D5      M1    D5    D5    D5    D5      Dsoon   Dsoon  D30     D5      L1    C0
    Deserted   C0      D0    C0    D0    C0    C0      D0      Dsoon  D30     C0      L0    C0
    Asleep     -       D0    -     D0    -     -       D0      Dsoon  D30     -       L0    -
    Failing    Dsoon   Dsoon Dsoon Dsoon D5    D0      Dsoon   Dsoon  D30     Dsoon   Dsoon Dsoon
    Shunned    D30     D30   D30   D30   D5    D0      Dsoon   Dsoon  D30     Dsoon   L30   D30
    CrowdedOut Dsoon   Dsoon Dsoon Dsoon D5    D0      Dsoon   Dsoon  D30     Dsoon   Dsoon Dsoon
    Losing     L1      L1    L1    L1    L1    L1      Dsoon   Dsoon  L30     L1      L1    C0
    Guest      M1      M1    D5    D5    M1    M1      Dsoon   Dsoon  D30     M1      L1    M1
  )",
      base::names_of(kStates), base::names_of(kEvents),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kEvents[event]); });
}

}  // namespace
}  // namespace pgweir::control

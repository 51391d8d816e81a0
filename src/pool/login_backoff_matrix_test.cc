// LoginBackoff in each of its states: how many logins may begin, and how long the next failure
// makes the pool wait.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "pool/login_backoff.h"

namespace pgweir::pool {
namespace {

using std::chrono::milliseconds;

// The pauses are so far apart that jitter does not mix them up.
struct Scene {
  void fail() { backoff.fail(options, rng, now); }
  void wait() { now = std::max(now, backoff.until()); }
  bool is_paused() const { return backoff.until() > now; }
  void fail_behind_pause() {
    wait();
    fail();
  }
  // As it was meant, without jitter.
  std::string pause() const {
    const base::Duration found = backoff.until() - now;
    for (const milliseconds meant : {milliseconds(100), milliseconds(200), milliseconds(400)}) {
      if (found >= meant * 3 / 4 && found <= meant * 5 / 4) return std::to_string(meant.count());
    }
    return "?";
  }

  Options options{.login_parallel_max = 4,
                  .login_backoff_min = milliseconds(100),
                  .login_backoff_max = milliseconds(400)};
  base::Rng rng{1};
  LoginBackoff backoff;
  base::Instant now{std::chrono::seconds(100)};
};

struct Step {
  std::string_view name;
  std::function<void(Scene&)> happen;
};
const std::vector<Step> kStates{
    {"Fresh", [](Scene&) {}},
    {"Paused", [](Scene& scene) { scene.fail(); }},
    {"Trying",
     [](Scene& scene) {
       scene.fail();
       scene.wait();
     }},
    {"PausedTwice",
     [](Scene& scene) {
       scene.fail();
       scene.fail_behind_pause();
     }},
    {"TryingTwice",
     [](Scene& scene) {
       scene.fail();
       scene.fail_behind_pause();
       scene.wait();
     }},
    {"Longest",
     [](Scene& scene) {
       for (int i = 0; i < 50; ++i) scene.fail_behind_pause();
       scene.wait();
     }},
    {"Again",
     [](Scene& scene) {
       scene.fail();
       scene.backoff.succeed();
     }},
};
const std::vector<Step> kEvents{
    {"Nothing", [](Scene&) {}},
    {"Failure", [](Scene& scene) { scene.fail(); }},
    {"Success", [](Scene& scene) { scene.backoff.succeed(); }},
    {"Almost",
     [](Scene& scene) {
       if (scene.is_paused()) scene.now = scene.backoff.until() - milliseconds(1);
     }},
    {"Time", [](Scene& scene) { scene.wait(); }},
    {"NoneAtOnce", [](Scene& scene) { scene.options.login_parallel_max = 0; }},
};

std::string play(const Step& state, const Step& event) {
  Scene scene;
  state.happen(scene);
  const base::Instant until = scene.backoff.until();
  event.happen(scene);
  std::string text = std::to_string(scene.backoff.parallel_max(scene.options, scene.now));
  if (text == "0") text = scene.backoff.until() == until ? "held" : scene.pause();
  scene.fail_behind_pause();
  return text + ">" + scene.pause();
}

// How many logins may begin, or for how many milliseconds none may, `held` where that is as it was;
// behind it the pause after the next failure.
TEST(LoginBackoffMatrix, every_event_in_every_state) {
  base::expect_matrix(
      R"(
                Nothing  Failure  Success Almost   Time  NoneAtOnce
    Fresh       4>100    100>200  4>100   4>100    4>100 1>100
    Paused      held>200 held>200 4>100   held>200 1>200 held>200
    Trying      1>200    200>400  4>100   1>200    1>200 1>200
    PausedTwice held>400 held>400 4>100   held>400 1>400 held>400
    TryingTwice 1>400    400>400  4>100   1>400    1>400 1>400
    Longest     1>400    400>400  4>100   1>400    1>400 1>400
    Again       4>100    100>200  4>100   4>100    4>100 1>100
  )",
      base::names_of(kStates), base::names_of(kEvents),
      [](std::size_t state, std::size_t event) { return play(kStates[state], kEvents[event]); });
}

}  // namespace
}  // namespace pgweir::pool

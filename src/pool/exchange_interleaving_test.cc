// Every interleaving of three actors over the exchange. Each actor is a fiber that stops before
// every step which another thread could see; a schedule is the sequence of actors that go on, and
// all schedules are run, one after the other, by counting them up like the digits of a number.
#include <gtest/gtest.h>
#include <ucontext.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "pool/exchange.h"

#if defined(__SANITIZE_THREAD__)
#define PGWEIR_TEST_HAS_FIBERS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PGWEIR_TEST_HAS_FIBERS 0
#endif
#endif
#ifndef PGWEIR_TEST_HAS_FIBERS
#define PGWEIR_TEST_HAS_FIBERS 1
#endif

namespace pgweir::pool {
namespace {

constexpr std::size_t kActors = 3;

// One run of three actors under one schedule.
class Fibers {
 public:
  using Body = std::function<void()>;

  explicit Fibers(std::array<Body, kActors> bodies) : bodies_(std::move(bodies)) {
    current_run = this;
    for (std::size_t i = 0; i < kActors; ++i) prepare(contexts_[i], stacks()[i], scheduler_);
  }
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;
  ~Fibers() { current_run = nullptr; }

  std::vector<std::size_t> runnable() const {
    std::vector<std::size_t> actors;
    for (std::size_t i = 0; i < kActors; ++i)
      if (!is_done_[i]) actors.push_back(i);
    return actors;
  }
  // Lets the actor go on to its next stop, or to its end.
  void resume(std::size_t actor) {
    running_ = actor;
    is_inside_ = true;
    swapcontext(&scheduler_, &contexts_[actor]);
    is_inside_ = false;
  }
  static void stop() {
    if (current_run == nullptr || !current_run->is_inside_) return;
    swapcontext(&current_run->contexts_[current_run->running_], &current_run->scheduler_);
  }

 private:
  using Stack = std::array<char, 32UL * 1024UL>;
  static std::array<Stack, kActors>& stacks() {
    static const auto kept = std::make_unique<std::array<Stack, kActors>>();
    return *kept;
  }
  static void prepare(ucontext_t& context, Stack& stack, ucontext_t& after) {
    getcontext(&context);
    context.uc_stack.ss_sp = stack.data();
    context.uc_stack.ss_size = stack.size();
    context.uc_link = &after;
    makecontext(&context, &Fibers::enter, 0);
  }
  static void enter() {
    const std::size_t self = current_run->running_;
    current_run->bodies_[self]();
    current_run->is_done_[self] = true;
  }

  static inline Fibers* current_run = nullptr;
  std::array<Body, kActors> bodies_;
  std::array<ucontext_t, kActors> contexts_{};
  ucontext_t scheduler_{};
  std::array<bool, kActors> is_done_{};
  std::size_t running_ = 0;
  bool is_inside_ = false;
};

struct StopHere {
  static void yield() { Fibers::stop(); }
};
using TestExchange = BasicExchange<StopHere>;

// What three actors do to an exchange, and what they know afterwards.
struct Scenario {
  TestExchange exchange{kActors, kActors};
  std::array<LevelId, 2> levels{exchange.add_level("narrow", 1), exchange.add_level("wide", 1)};
  std::array<bool, kActors> has_permit{};
  std::array<bool, kActors> is_waiting{};
  std::optional<std::uint32_t> taken_when_lowered;
  ReactorMask woken = 0;
  std::array<Fibers::Body, kActors> actors;

  Levels narrow() const { return Levels(levels).first(1); }
  Levels wide() const { return Levels(levels).last(1); }

  // As a shard does: try, announce, try again, and sleep only then.
  void take_or_wait(ReactorIndex self, Levels wanted) {
    Take take = exchange.try_take(wanted);
    woken |= take.to_wake;
    if (!take.is_taken) {
      exchange.announce(wanted.front(), self);
      take = exchange.try_take(wanted);
      woken |= take.to_wake;
    }
    has_permit[self] = take.is_taken;
    is_waiting[self] = !take.is_taken;
  }
};

// Runs all schedules and returns their number. `check` sees the exchange after every step, `finish`
// the end of every schedule.
std::size_t run_all(const std::function<std::unique_ptr<Scenario>()>& make,
                    const std::function<void(Scenario&)>& check,
                    const std::function<void(Scenario&)>& finish) {
  struct Choice {
    std::size_t taken;
    std::size_t count;
  };
  std::vector<Choice> schedule;
  std::size_t runs = 0;
  for (;;) {
    const auto scenario = make();
    Fibers fibers(scenario->actors);
    // Up to its first stop an actor does nothing that another could see.
    for (const std::size_t actor : fibers.runnable()) fibers.resume(actor);
    std::size_t depth = 0;
    for (auto actors = fibers.runnable(); !actors.empty(); actors = fibers.runnable(), ++depth) {
      if (depth == schedule.size()) schedule.push_back({0, actors.size()});
      fibers.resume(actors[schedule[depth].taken]);
      check(*scenario);
    }
    finish(*scenario);
    ++runs;
    while (!schedule.empty() && schedule.back().taken + 1 == schedule.back().count)
      schedule.pop_back();
    if (schedule.empty() || testing::Test::HasFailure()) return runs;
    ++schedule.back().taken;
  }
}

void expect_within_limits(Scenario& scenario) {
  for (const LevelId level : scenario.levels)
    ASSERT_LE(scenario.exchange.taken(level), scenario.exchange.limit(level));
}

// REQUIRES: whoever waits wants a permit of `level` only.
void expect_nobody_sleeps_beside_a_permit(Scenario& scenario, LevelId level) {
  if (scenario.exchange.is_full(level)) return;
  for (ReactorIndex i = 0; i < kActors; ++i) {
    ASSERT_TRUE(!scenario.is_waiting[i] || (scenario.woken & mask_of(i)) != 0)
        << "actor " << i << " was not woken";
  }
}

class ExchangeInterleavingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (PGWEIR_TEST_HAS_FIBERS == 0) GTEST_SKIP() << "ThreadSanitizer follows no fibers";
  }
};

TEST_F(ExchangeInterleavingTest, two_may_want_what_a_third_gives_back) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    EXPECT_TRUE(s.exchange.try_take(s.wide()).is_taken);
    s.actors = {[&s] { s.woken |= s.exchange.give_back(s.wide(), false); },
                [&s] { s.take_or_wait(1, s.wide()); }, [&s] { s.take_or_wait(2, s.wide()); }};
    return scenario;
  };
  const std::size_t runs = run_all(make, expect_within_limits, [](Scenario& s) {
    ASSERT_FALSE(s.has_permit[1] && s.has_permit[2]);
    ASSERT_EQ(s.exchange.taken(s.levels[1]), s.has_permit[1] || s.has_permit[2] ? 1U : 0U);
    expect_nobody_sleeps_beside_a_permit(s, s.levels[1]);
  });
  EXPECT_GT(runs, 500U);
}

TEST_F(ExchangeInterleavingTest, a_raised_limit_reaches_those_who_wait) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    s.exchange.set_limit(s.levels[1], 0);
    s.actors = {[&s] { s.woken |= s.exchange.set_limit(s.levels[1], 2); },
                [&s] { s.take_or_wait(1, s.wide()); }, [&s] { s.take_or_wait(2, s.wide()); }};
    return scenario;
  };
  const std::size_t runs = run_all(make, expect_within_limits, [](Scenario& s) {
    expect_nobody_sleeps_beside_a_permit(s, s.levels[1]);
  });
  EXPECT_GT(runs, 500U);
}

TEST_F(ExchangeInterleavingTest, no_permit_is_taken_by_a_limit_that_was_just_lowered) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    s.exchange.set_limit(s.levels[1], 2);
    s.actors = {[&s] { s.woken |= s.exchange.set_limit(s.levels[1], 0); },
                [&s] { s.take_or_wait(1, s.wide()); }, [&s] { s.take_or_wait(2, s.wide()); }};
    return scenario;
  };
  const auto check = [](Scenario& s) {
    if (s.exchange.limit(s.levels[1]) != 0) return;
    const std::uint32_t taken = s.exchange.taken(s.levels[1]);
    if (!s.taken_when_lowered) s.taken_when_lowered = taken;
    ASSERT_LE(taken, *s.taken_when_lowered);
  };
  EXPECT_GT(run_all(make, check, [](Scenario&) {}), 500U);
}

// The one who takes the narrow level and finds the wide one full puts the narrow one back; a second
// who failed meanwhile must hear of it.
TEST_F(ExchangeInterleavingTest, a_permit_put_back_stops_nobody) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    EXPECT_TRUE(s.exchange.try_take(s.wide()).is_taken);
    s.actors = {[&s] { s.woken |= s.exchange.give_back(s.wide(), false); },
                [&s] {
                  const Take take = s.exchange.try_take(s.levels);
                  s.woken |= take.to_wake;
                  s.has_permit[1] = take.is_taken;
                },
                [&s] { s.take_or_wait(2, s.narrow()); }};
    return scenario;
  };
  const std::size_t runs = run_all(make, expect_within_limits, [](Scenario& s) {
    ASSERT_EQ(s.exchange.taken(s.levels[0]),
              (s.has_permit[1] ? 1U : 0U) + (s.has_permit[2] ? 1U : 0U));
    ASSERT_EQ(s.exchange.taken(s.levels[1]), s.has_permit[1] ? 1U : 0U);
    expect_nobody_sleeps_beside_a_permit(s, s.levels[0]);
  });
  EXPECT_GT(runs, 500U);
}

// One asks for a server; of two that have one to spare exactly one sends it, whoever comes first.
TEST_F(ExchangeInterleavingTest, one_ask_is_answered_once) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    const auto look = [&s](ReactorIndex self) {
      const auto ask = s.exchange.asks(s.levels[0]).oldest(self);
      s.has_permit[self] = ask && s.exchange.asks(s.levels[0]).try_answer(ask->reactor);
    };
    s.actors = {[&s] { s.exchange.asks(s.levels[0]).ask(0, {}, 1, {}); }, [look] { look(1); },
                [look] { look(2); }};
    return scenario;
  };
  std::size_t answered = 0;
  const std::size_t runs = run_all(make, expect_within_limits, [&](Scenario& s) {
    ASSERT_FALSE(s.has_permit[1] && s.has_permit[2]);
    // Who looked before may look again, since the asker wakes the others.
    if (!s.has_permit[1] && !s.has_permit[2]) {
      ASSERT_TRUE(s.exchange.asks(s.levels[0]).try_answer(0));
    } else {
      ++answered;
      ASSERT_FALSE(s.exchange.asks(s.levels[0]).try_answer(0));
    }
  });
  EXPECT_GT(runs, 10U);
  EXPECT_GT(answered, 0U);
}

// What is asked for is changed while others answer: never more answers than were asked for in all.
TEST_F(ExchangeInterleavingTest, an_ask_that_is_renewed_is_not_answered_beyond_it) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    s.exchange.asks(s.levels[0]).ask(0, {}, 1, {});
    const auto answer = [&s](ReactorIndex self) {
      s.has_permit[self] = s.exchange.asks(s.levels[0]).try_answer(0);
    };
    s.actors = {[&s] { s.exchange.asks(s.levels[0]).withdraw(0); }, [answer] { answer(1); },
                [answer] { answer(2); }};
    return scenario;
  };
  run_all(make, expect_within_limits, [](Scenario& s) {
    ASSERT_FALSE(s.has_permit[1] && s.has_permit[2]);
    ASSERT_FALSE(s.exchange.asks(s.levels[0]).try_answer(0)) << "nothing is asked for any more";
  });
}

// A permit is free, and left to who asks for it; he goes away, and one who has left it must hear.
TEST_F(ExchangeInterleavingTest, who_asks_no_more_stops_nobody_who_left_a_permit_to_him) {
  const auto make = [] {
    auto scenario = std::make_unique<Scenario>();
    Scenario& s = *scenario;
    s.exchange.asks(s.levels[1]).ask(0, {}, 1, {});
    const auto take_or_leave = [&s](ReactorIndex self) {
      const auto is_left = [&] {
        return s.exchange.asks(s.levels[1])
                   .count_before(base::kNever, self, base::Instant::min()) != 0;
      };
      s.is_waiting[self] = is_left();
      if (!s.is_waiting[self]) return;
      s.exchange.announce(s.levels[1], self);
      s.is_waiting[self] = is_left();
    };
    s.actors = {[&s] {
                  s.exchange.asks(s.levels[1]).withdraw(0);
                  if (!s.exchange.is_full(s.levels[1])) s.woken |= s.exchange.waiting(s.levels[1]);
                },
                [take_or_leave] { take_or_leave(1); }, [] {}};
    return scenario;
  };
  const std::size_t runs = run_all(make, expect_within_limits, [](Scenario& s) {
    expect_nobody_sleeps_beside_a_permit(s, s.levels[1]);
  });
  EXPECT_GT(runs, 10U);
}

}  // namespace
}  // namespace pgweir::pool

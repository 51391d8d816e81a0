#include "sim/turns.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/simulation.h"

namespace pgweir::sim {
namespace {

using std::chrono::microseconds;

// Two reactors, and what they did in which order.
class TurnsTest : public testing::Test {
 protected:
  ~TurnsTest() override {
    a_.finish();
    b_.finish();
  }
  // An event of so many steps that stops after each of them.
  Action steps(Turns& turns, std::string name, int count) {
    return [this, &turns, name = std::move(name), count] {
      for (int i = 1; i <= count; ++i) {
        log_ += name + std::to_string(i) + " ";
        turns.stop_for(microseconds(10));
      }
    };
  }
  void run_for(base::Duration time) {
    const base::Instant end = world_.now() + time;
    while (world_.step(end)) {
    }
  }

  World world_{1};
  Turns a_{world_, true};
  Turns b_{world_, true};
  std::string log_;
};

TEST_F(TurnsTest, stop_in_the_middle_and_let_the_other_stop_there_too) {
  a_.run(steps(a_, "a", 3));
  b_.run(steps(b_, "b", 2));
  EXPECT_TRUE(a_.is_busy());
  EXPECT_EQ(log_, "a1 b1 ");
  run_for(microseconds(100));
  EXPECT_EQ(log_, "a1 b1 a2 b2 a3 ");
  EXPECT_FALSE(a_.is_busy());
  EXPECT_FALSE(b_.is_busy());
}

TEST_F(TurnsTest, what_comes_meanwhile_waits_behind_it) {
  a_.run(steps(a_, "a", 2));
  a_.run(steps(a_, "c", 2));
  a_.run([this] { log_ += "d"; });
  EXPECT_EQ(log_, "a1 ");
  run_for(microseconds(100));
  EXPECT_EQ(log_, "a1 a2 c1 c2 d");
}

TEST_F(TurnsTest, end_what_has_stopped_when_they_finish) {
  a_.run(steps(a_, "a", 3));
  a_.run([this] { log_ += "b"; });
  a_.finish();
  EXPECT_EQ(log_, "a1 a2 a3 b");
  run_for(microseconds(100));
  EXPECT_EQ(log_, "a1 a2 a3 b");
}

TEST_F(TurnsTest, are_whole_where_nothing_may_stop) {
  Turns whole(world_, false);
  whole.run([&] {
    EXPECT_EQ(Turns::current(), nullptr);
    whole.stop_for(microseconds(10));
    log_ += "a";
  });
  EXPECT_EQ(log_, "a");
}

// A seed that stops in thousands of places does so in the same ones again.
TEST(StopsTest, are_the_same_for_the_same_seed) {
  Scenario scenario = Scenario::draw(50);
  ASSERT_TRUE(scenario.is_crowd);
  scenario.relay_count = 4;
  scenario.stops = 0.2;
  scenario.stop_max = microseconds(50);
  const auto run = [&] { return Simulation(50, scenario, false).run(); };
  const Outcome first = run();
  const Outcome second = run();
  EXPECT_EQ(first.event_count, second.event_count);
  EXPECT_EQ(first.answered_by_client, second.answered_by_client);
  EXPECT_EQ(first.worst_overtaking, second.worst_overtaking);
  EXPECT_GT(first.stop_count, 1000U);
}

}  // namespace
}  // namespace pgweir::sim

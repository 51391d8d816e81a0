#include "loop/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace pgweir::loop {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Loop> make_loop() { return std::move(Loop::create()).value(); }

TEST(LoopTest, runs_posted_tasks_in_order_on_its_own_thread) {
  const auto loop = make_loop();
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread runner([&] { loop->run(); });
  const std::thread::id runner_id = runner.get_id();
  loop->post([&] { order.push_back(1); });
  loop->post([&] {
    order.push_back(2);
    ran_on = std::this_thread::get_id();
  });
  loop->stop();
  runner.join();
  EXPECT_EQ(order, (std::vector{1, 2}));
  EXPECT_EQ(ran_on, runner_id);
}

TEST(LoopTest, runs_timers_by_time_and_not_those_cancelled) {
  const auto loop = make_loop();
  std::vector<int> order;
  const base::Instant start = loop->now();
  loop->call_at(start + 2ms, [&] { order.push_back(2); });
  const TimerId cancelled = loop->call_at(start + 1ms, [&] { order.push_back(9); });
  loop->call_at(start, [&] { order.push_back(1); });
  loop->cancel(cancelled);
  loop->cancel(cancelled);
  while (order.size() < 2) loop->turn();
  EXPECT_EQ(order, (std::vector{1, 2}));
  EXPECT_GE(loop->now(), start + 2ms);
}

TEST(LoopTest, tells_readable_and_writable_and_forgets) {
  const auto loop = make_loop();
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  int readable = 0;
  int writable = 0;
  loop->watch(ends[0], {.read = true, .write = true}, [&](Interest ready) {
    readable += ready.read ? 1 : 0;
    writable += ready.write ? 1 : 0;
  });
  loop->turn();
  EXPECT_EQ(readable, 0);
  EXPECT_EQ(writable, 1);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  loop->turn();
  EXPECT_EQ(readable, 1);
  loop->forget(ends[0]);
  loop->turn(loop->now());
  EXPECT_EQ(readable, 1);
  close(ends[0]);
  close(ends[1]);
}

TEST(LoopTest, drops_an_event_of_a_watch_forgotten_in_the_same_batch) {
  const auto loop = make_loop();
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  int served = 0;
  for (const int i : {0, 1}) {
    loop->watch(ends.at(static_cast<std::size_t>(i)), {.write = true}, [&, i](Interest) {
      ++served;
      loop->forget(ends.at(static_cast<std::size_t>(1 - i)));
    });
  }
  loop->turn();
  EXPECT_EQ(served, 1);
  close(ends[0]);
  close(ends[1]);
}

TEST(LoopTest, watches_a_number_that_was_closed_and_reused) {
  const auto loop = make_loop();
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  loop->watch(ends[0], {.read = true}, [](Interest) {});
  const int reused = ends[0];
  close(ends[0]);
  close(ends[1]);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  ASSERT_TRUE(ends[0] == reused || ends[1] == reused);
  bool told = false;
  loop->watch(reused, {.write = true}, [&](Interest ready) { told = ready.write; });
  loop->turn();
  EXPECT_TRUE(told);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace pgweir::loop

#include "client/blocking_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "client/clock.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;

TEST(BlockingWorkTest, no_more_threads_than_allowed_are_at_it) {
  BlockingWork work("pgweir-test", 2);
  std::atomic<int> at_it = 0;
  std::atomic<int> at_it_max = 0;
  std::atomic<int> done = 0;
  for (int i = 0; i < 1'000; ++i) {
    work.add([&](int) {
      const int now = ++at_it;
      if (now > at_it_max) at_it_max = now;
      std::this_thread::yield();
      --at_it;
      ++done;
    });
  }
  while (done < 1'000) std::this_thread::yield();
  EXPECT_LE(at_it_max, 2);
  work.stop();
  EXPECT_TRUE(work.wait_until_over(precise_now() + 20s));
}

TEST(BlockingWorkTest, who_hangs_for_long_does_not_hold_up_what_comes_after) {
  std::promise<void> end;
  BlockingWork work("pgweir-test", 1, 1ms);
  std::atomic<bool> has_begun = false;
  std::atomic<bool> is_served = false;
  work.add([&](int) {
    has_begun = true;
    end.get_future().wait();
  });
  while (!has_begun) std::this_thread::yield();
  while (!is_served) {
    work.add([&](int) { is_served = true; });
    std::this_thread::yield();
  }
  work.stop();
  EXPECT_FALSE(work.wait_until_over(precise_now() + 10ms));
  end.set_value();
  EXPECT_TRUE(work.wait_until_over(precise_now() + 20s));
}

}  // namespace
}  // namespace pgweir::client

#include "pool/login_backoff.h"

#include <gtest/gtest.h>

namespace pgweir::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LoginBackoffTest : public testing::Test {
 protected:
  // Fails at the end of the pause and returns the next one.
  base::Duration fail() {
    now = std::max(now, backoff.until());
    backoff.fail(options, rng, now);
    return backoff.until() - now;
  }

  Options options;
  base::Rng rng{1};
  LoginBackoff backoff;
  base::Instant now{seconds(100)};
};

TEST_F(LoginBackoffTest, doubles_up_to_the_longest_pause_with_jitter) {
  milliseconds expected(100);
  for (int i = 0; i < 10; ++i, expected = std::min(expected * 2, milliseconds(5000))) {
    const base::Duration pause = fail();
    EXPECT_GE(pause, expected * 3 / 4);
    EXPECT_LE(pause, expected * 5 / 4);
  }
}

TEST_F(LoginBackoffTest, takes_failures_during_a_pause_for_one) {
  fail();
  const base::Instant until = backoff.until();
  backoff.fail(options, rng, until - milliseconds(1));
  EXPECT_EQ(backoff.until(), until);
}

TEST_F(LoginBackoffTest, allows_one_login_after_a_pause_and_all_after_a_success) {
  EXPECT_EQ(backoff.parallel_max(options, now), options.login_parallel_max);
  fail();
  EXPECT_EQ(backoff.parallel_max(options, now), 0U);
  EXPECT_EQ(backoff.parallel_max(options, backoff.until()), 1U);
  backoff.succeed();
  EXPECT_EQ(backoff.parallel_max(options, now), options.login_parallel_max);
  EXPECT_LE(fail(), milliseconds(125));
}

}  // namespace
}  // namespace pgweir::pool

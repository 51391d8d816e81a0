#include "pgweir/shutdown_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;

class ShutdownGuardTest : public PoolScene {};

// In a process of its own, which the signal is to end.
template <class Body>
int end_of(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::_Exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(ShutdownGuardTest, the_pool_is_shut_down_and_the_process_ends_by_its_signal) {
  const int status = end_of([] {
    database_pool db(options("1"));
    const shutdown_guard guard(
        db, {.on_shutdown = [](const shutdown_report& report) {
          ask(report.is_complete ? "select 1 from set_config('a.b', 'c', false)" : "select 1 / 0");
        }});
    if (!db.check()) std::_Exit(98);
    ::kill(::getpid(), SIGTERM);
    ::pause();
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_EQ(ask("select count(*) from pg_stat_activity where application_name = 'libpgweir'"), "0");
}

TEST_F(ShutdownGuardTest, a_second_signal_does_not_wait_for_leases) {
  const int status = end_of([] {
    database_pool db(options("1"));
    const shutdown_guard guard(
        db, {.drain = 300s, .on_signal = [](int) { ::kill(::getpid(), SIGINT); }});
    const auto kept = db.acquire();
    ::kill(::getpid(), SIGINT);
    ::pause();
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST_F(ShutdownGuardTest, the_signals_are_as_before_once_it_goes) {
  database_pool db(options("1"));
  { const shutdown_guard guard(db); }
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
  EXPECT_FALSE(::sigismember(&now, SIGTERM));
}

}  // namespace
}  // namespace pgweir::client

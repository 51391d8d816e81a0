#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "client/pool_scene_test.h"
#include "pgweir/database.hpp"

namespace pgweir::client {
namespace {

class ForkTest : public PoolScene {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer lets no child of threads start any";
#endif
    PoolScene::SetUp();
  }
  // What the child finds out, as the exit status: 0 is well.
  template <class Body>
  static int status_of_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) std::_Exit(body() ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  }
};

TEST_F(ForkTest, D21_a_child_is_told_that_the_pool_is_its_parents) {
  database_pool db(options("2"));
  auto lease = db.acquire();
  EXPECT_EQ(lease->query("select 1").one().as<int>(), 1);
  EXPECT_EQ(status_of_child([&] {
              const auto refused = db.try_acquire();
              const auto on_lease = lease->try_query("select 2");
              return !refused && refused.error().kind == error_kind::pool_closed && !on_lease &&
                     on_lease.error().kind == error_kind::pool_closed;
            }),
            0);
  // The child has ended, and the parent's connections are as they were.
  EXPECT_EQ(lease->query("select 3").one().as<int>(), 3);
  lease.release();
  EXPECT_TRUE(db.check());
}

TEST_F(ForkTest, D21_a_child_may_let_everything_go_and_have_a_pool_of_its_own) {
  std::optional<database_pool> db(options("2"));
  std::optional<connection_lease> lease(db->acquire());
  EXPECT_EQ(status_of_child([&] {
              lease.reset();
              db.reset();
              bool has_said_anything = false;
              database_pool own(options("1").log_to(
                  [&](log_level, std::string_view) { has_said_anything = true; }));
              return own.check() && !has_said_anything;
            }),
            0);
  EXPECT_EQ((*lease)->query("select 4").one().as<int>(), 4);
}

TEST_F(ForkTest, D21_database_gives_a_child_another_pool) {
  ::setenv("DATABASE_URL", (server().url() + "?connection_limit=1").c_str(), 1);
  database_pool& db = database();
  EXPECT_EQ(&db, &database());
  EXPECT_TRUE(db.check());
  EXPECT_EQ(status_of_child([&] { return &database() != &db && database().check(); }), 0);
  EXPECT_TRUE(db.check());
  EXPECT_TRUE(db.shutdown(std::chrono::seconds(20)).is_complete);
}

}  // namespace
}  // namespace pgweir::client

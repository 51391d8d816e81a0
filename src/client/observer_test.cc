#include "pgweir/observer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Writes down what it is told.
class Diary final : public pool_observer {
 public:
  void on_acquired(std::chrono::nanoseconds, const code_location& where) noexcept override {
    add("acquired", where);
  }
  void on_refused(error_kind why, std::chrono::nanoseconds waited,
                  const code_location& where) noexcept override {
    EXPECT_GT(waited, 0ns);
    add(why == error_kind::acquire_timeout ? "timed out" : "refused", where);
  }
  void on_released(std::chrono::nanoseconds, const code_location& where) noexcept override {
    add("released", where);
  }
  void on_opened(std::chrono::nanoseconds took) noexcept override {
    EXPECT_GT(took, 0ns);
    add("opened");
  }
  void on_login_failed(const sqlstate& why, std::chrono::nanoseconds) noexcept override {
    add("failed " + std::string(why.text()));
  }
  void on_closed() noexcept override { add("closed"); }

  std::vector<std::string> entries() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return entries_;
  }

 private:
  void add(std::string entry) {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.push_back(std::move(entry));
  }
  void add(const std::string& entry, const code_location& where) {
    EXPECT_STREQ(where.file, __FILE__);
    add(entry);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> entries_;
};

class ObserverTest : public PoolScene {};

TEST_F(ObserverTest, is_told_what_happens_in_its_order) {
  const auto diary = std::make_shared<Diary>();
  database_pool db(options("1").observe_by(diary));
  {
    auto lease = db.acquire();
    EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 1ms})); },
                testing::Throws<acquire_timeout>());
  }
  db.acquire_if_idle()->discard();
  EXPECT_TRUE(db.shutdown(20s).is_complete);
  EXPECT_THAT(diary->entries(), ElementsAre("opened", "acquired", "timed out", "released",
                                            "acquired", "released", "closed"));
}

TEST_F(ObserverTest, is_told_why_a_login_failed) {
  std::string url = server().url();
  url.replace(url.find("swordfish"), 9, "trout");
  const auto diary = std::make_shared<Diary>();
  database_pool db(database_options(url).observe_by(diary));
  EXPECT_FALSE(db.check());
  EXPECT_THAT(diary->entries(), ElementsAre("failed 28P01", "refused"));
}

TEST_F(ObserverTest, stats_cost_no_connection) {
  database_pool db(options("2"));
  EXPECT_EQ(db.stats().limit, 2U);
  EXPECT_EQ(db.stats().open, 0U);
  const auto lease = db.acquire();
  EXPECT_EQ(db.stats().in_use, 1U);
  EXPECT_EQ(db.stats().open, 1U);
}

}  // namespace
}  // namespace pgweir::client

// What the library says in the log about mistakes of the program that uses it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Throws;

class ReportsTest : public PoolScene {
 protected:
  database_options logging(std::string_view limit, std::string url = server().url()) {
    return logging(options_of(std::move(url), limit));
  }
  database_options logging(database_options options) {
    return std::move(options.log_to([this](log_level, std::string_view line) {
      const std::lock_guard<std::mutex> lock(mutex_);
      lines_.emplace_back(line);
    }));
  }
  std::vector<std::string> lines_with(std::string_view part) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::string> found;
    for (const std::string& line : lines_) {
      if (line.find(part) != std::string::npos) found.push_back(line);
    }
    return found;
  }
  void wait_for(std::string_view part) {
    while (lines_with(part).empty()) std::this_thread::yield();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(ReportsTest, a_lease_that_does_not_come_back_is_reported_once_with_its_line) {
  database_pool db(logging("2").set("leak_threshold", "10ms"));
  {
    const auto forgotten = db.acquire({.tag = "the export"});
    wait_for("lease_overdue");
  }
  EXPECT_THAT(lines_with("lease_overdue"),
              ElementsAre(AllOf(HasSubstr("reports_test.cc"), HasSubstr("the export"))));
}

TEST_F(ReportsTest, D20_nested_acquire_warns_with_both_locations) {
  database_pool db(logging("1"));
  const auto first = db.acquire();
  EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 1ms})); }, Throws<acquire_timeout>());
  ASSERT_EQ(lines_with("nested_acquire").size(), 1U);
  EXPECT_THAT(lines_with("nested_acquire")[0], AllOf(HasSubstr(" at="), HasSubstr(" held_at=")));
}

TEST_F(ReportsTest, who_waits_for_another_thread_is_not_nested) {
  database_pool db(logging("1"));
  const auto first = db.acquire();
  const std::jthread other([&] {
    EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 1ms})); },
                Throws<acquire_timeout>());
  });
}

TEST_F(ReportsTest, a_second_pool_for_the_same_database_is_reported_with_both_places) {
  const database_pool first(logging("1"));
  EXPECT_THAT(lines_with("second_pool"), IsEmpty());
  const database_pool second(logging("1"));
  EXPECT_THAT(lines_with("second_pool"),
              ElementsAre(AllOf(HasSubstr(" at="), HasSubstr("first_at="))));
}

TEST_F(ReportsTest, many_rows_are_reported_with_the_line_that_asked) {
  database_pool db(logging("1").set("warn_rows", "100"));
  auto lease = db.acquire();
  lease->query("select generate_series(1, 100)");
  EXPECT_THAT(lines_with("many_rows"), IsEmpty());
  lease->query("select generate_series(1, 101)");
  EXPECT_THAT(lines_with("many_rows"),
              ElementsAre(AllOf(HasSubstr("reports_test.cc"), HasSubstr("rows=101"))));
  lease->query(sql("select generate_series(1, 101)").max_rows(500));
  EXPECT_EQ(lines_with("many_rows").size(), 1U);
}

TEST_F(ReportsTest, more_rows_than_allowed_are_an_error) {
  database_pool db(logging("1").set("max_rows", "10"));
  auto lease = db.acquire();
  EXPECT_THAT([&] { lease->query("select generate_series(1, 11)"); }, Throws<result_too_large>());
  EXPECT_EQ(lease->query(sql("select generate_series(1, 11)").max_rows(11)).size(), 11U);
  EXPECT_THAT([&] { lease->query(sql("select generate_series(1, 3)").max_rows(2)); },
              Throws<result_too_large>());
}

TEST_F(ReportsTest, D23_a_limit_above_what_the_server_can_bear_is_reported_once) {
  database_pool fitting(logging("17"));  // Of 20, 3 of which are reserved.
  EXPECT_TRUE(fitting.check());
  EXPECT_THAT(lines_with("limit_too_high"), IsEmpty());
  database_pool db(logging("18"));
  const auto one = db.acquire();
  const auto another = db.acquire();
  EXPECT_THAT(lines_with("limit_too_high"),
              ElementsAre(AllOf(HasSubstr("connection_limit=18"), HasSubstr("server_limit=17"),
                                HasSubstr("20 max_connections"), HasSubstr("set connection_limit"),
                                testing::Not(HasSubstr("swordfish")))));
}

TEST_F(ReportsTest, D23_the_limits_of_role_and_database_count_too) {
  ask("create role small login password 'swordfish' connection limit 2");
  std::string url = server().url();
  url.replace(url.find("postgres:"), 9, "small:");
  database_pool db(logging("3", url));
  EXPECT_TRUE(db.check());
  EXPECT_THAT(lines_with("limit_too_high"),
              ElementsAre(AllOf(HasSubstr("connection_limit=3"), HasSubstr("server_limit=2"),
                                HasSubstr("connection limit of the role"))));
  EXPECT_TRUE(db.shutdown(20s).is_complete);
  ask("drop role small");
}

TEST_F(ReportsTest, D23_a_limit_that_nobody_chose_is_lowered_to_what_the_server_can_bear) {
  ask("create role small login password 'swordfish' connection limit 2");
  std::string url = server().url();
  url.replace(url.find("postgres:"), 9, "small:");
  database_pool db(logging(database_options(url)));
  EXPECT_TRUE(db.check());
  EXPECT_EQ(db.info().limit, 2U);
  EXPECT_THAT(lines_with("limit_too_high"), IsEmpty());
  EXPECT_TRUE(db.shutdown(20s).is_complete);
  ask("drop role small");
}

TEST_F(ReportsTest, D23_the_peak_and_the_waits_are_in_the_info) {
  database_pool db(logging("2"));
  EXPECT_EQ(db.info().in_use_peak, 0U);
  {
    const auto one = db.acquire();
    const auto another = db.acquire();
    EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 50ms})); },
                Throws<acquire_timeout>());
  }
  EXPECT_EQ(db.info().in_use_peak, 2U);
  EXPECT_GE(db.info().wait_p99, 50ms);
}

TEST_F(ReportsTest, a_failed_login_is_reported_without_the_password) {
  std::string url = server().url();
  url.replace(url.find("swordfish"), 9, "trout");
  std::vector<std::string> lines;
  std::mutex mutex;
  database_pool db(database_options(url).log_to([&](log_level, std::string_view line) {
    const std::lock_guard<std::mutex> lock(mutex);
    lines.emplace_back(line);
  }));
  EXPECT_FALSE(db.check());
  const std::lock_guard<std::mutex> lock(mutex);
  EXPECT_THAT(lines, ElementsAre(AllOf(HasSubstr("event=login_failed"), HasSubstr("28P01"),
                                       testing::Not(HasSubstr("trout")))));
}

}  // namespace
}  // namespace pgweir::client

#include "pgweir/listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Throws;
using testing::ThrowsMessage;

class ListenerTest : public PoolScene {
 protected:
  static void notify(const char* channel, const char* payload) {
    const std::string text = std::string("select pg_notify('") + channel + "', '" + payload + "')";
    ask(text.c_str());
  }
  static std::string listening() {
    return ask("select pid from pg_stat_activity where application_name = 'libpgweir'");
  }
  static void terminate(const std::string& pid) {
    ask(("select pg_terminate_backend(" + pid + ")").c_str());
    while (ask(("select count(*) from pg_stat_activity where pid = " + pid).c_str()) != "0")
      std::this_thread::yield();
  }
};

TEST_F(ListenerTest, what_others_say_is_heard_in_its_order) {
  database_pool db(options("2"));
  listener ears(db, {"orders", "Some \"Name\""});
  EXPECT_EQ(ears.wait(0ms), std::nullopt);
  notify("orders", "one");
  notify("nobody", "listens");
  notify("Some \"Name\"", "two");
  const auto first = ears.wait(10s);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->channel, "orders");
  EXPECT_EQ(first->payload, "one");
  EXPECT_GT(first->backend_pid, 0);
  EXPECT_FALSE(first->is_gap);
  EXPECT_EQ(ears.wait(10s)->payload, "two");
  EXPECT_EQ(ears.wait(1ms), std::nullopt);
  EXPECT_EQ(echo(db, 4), 4);
}

TEST_F(ListenerTest, a_wait_ends_with_what_comes_meanwhile_or_a_stop) {
  database_pool db(options("1"));
  listener ears(db, {"orders"});
  {
    const std::jthread other([] { notify("orders", "late"); });
    EXPECT_EQ(ears.wait(std::chrono::milliseconds::max())->payload, "late");
  }
  std::stop_source stop;
  const std::jthread other([&] { stop.request_stop(); });
  EXPECT_THAT([&] { ears.wait(60s, stop.get_token()); }, Throws<cancelled>());
}

TEST_F(ListenerTest, a_connection_that_was_lost_is_made_again_and_the_gap_is_told) {
  database_pool db(options("1"));
  listener ears(db, {"orders"});
  const std::string pid = listening();
  terminate(pid);
  notify("orders", "unheard");
  const auto gap = ears.wait(10s);
  ASSERT_TRUE(gap);
  EXPECT_TRUE(gap->is_gap);
  EXPECT_NE(listening(), pid);
  notify("orders", "heard");
  EXPECT_EQ(ears.wait(10s)->payload, "heard");
}

TEST_F(ListenerTest, D19_shutdown_ends_it) {
  database_pool db(options("1"));
  listener ears(db, {"orders"});
  const std::jthread other([&] { EXPECT_TRUE(db.shutdown(60s).is_complete); });
  EXPECT_THAT([&] { ears.wait(std::chrono::milliseconds::max()); }, Throws<pool_closed>());
}

TEST_F(ListenerTest, nobody_after_it_hears_what_it_listened_to) {
  database_pool db(options("1"));
  { const listener ears(db, {"orders"}); }
  auto lease = db.acquire();
  EXPECT_TRUE(lease->query("select pg_listening_channels()").empty());
}

TEST_F(ListenerTest, a_bad_name_gives_the_connection_back) {
  database_pool db(options("1"));
  EXPECT_THAT([&] { listener(db, {"orders", "\xff\xfe"}); }, Throws<value_error>());
  EXPECT_THAT([&] { listener(db, {""}); }, ThrowsMessage<server_error>(HasSubstr("zero-length")));
  EXPECT_EQ(echo(db, 4), 4);
}

TEST_F(ListenerTest, it_is_no_leak_that_it_stays) {
  std::vector<std::string> lines;
  std::mutex mutex;
  database_pool db(
      options("2").set("leak_threshold", "1ms").log_to([&](log_level, std::string_view line) {
        const std::lock_guard<std::mutex> lock(mutex);
        lines.emplace_back(line);
      }));
  listener ears(db, {"orders"});
  const auto forgotten = db.acquire();
  const auto has_overdue = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("lease_overdue") != std::string::npos;
    });
  };
  while (!has_overdue()) std::this_thread::yield();
  const std::lock_guard<std::mutex> lock(mutex);
  for (const std::string& line : lines) EXPECT_THAT(line, testing::Not(HasSubstr("tag=listener")));
}

}  // namespace
}  // namespace pgweir::client

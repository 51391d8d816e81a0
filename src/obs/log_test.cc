#include "obs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "obs/captured_log.h"

namespace pgweir::obs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::SizeIs;

enum class Reason { IdleTimeout, ServerGone };
constexpr std::string_view to_text(Reason reason) {
  return reason == Reason::IdleTimeout ? "idle_timeout" : "server_gone";
}

constexpr Event kClosed{.name = "server_closed",
                        .level = Level::Info,
                        .label = "reason",
                        .doc = "A server connection was closed."};
constexpr Event kReloaded{
    .name = "reloaded", .level = Level::Warning, .doc = "The configuration was read again."};
constexpr Event kTraced{.name = "traced", .level = Level::Debug, .doc = "Something small."};

class Lines final : public Sink {
 public:
  void write(Level level, std::string_view line) override {
    levels.push_back(level);
    lines.emplace_back(line);
  }
  std::vector<Level> levels;
  std::vector<std::string> lines;
};

// A log whose clock the test moves.
class LogTest : public testing::Test {
 protected:
  Lines sink;
  base::Instant now{};
  std::string wall_time = "2026-11-22T10:00:00.000Z";
  Log log{sink,
          {.now = [this] { return now; }, .wall_time = [this] { return wall_time; }},
          {.level = Level::Info},
          {.burst = 3, .window = seconds(10), .label_values_max = 4}};

  void close_servers(int count, Reason reason = Reason::IdleTimeout) {
    for (int i = 0; i < count; ++i) log.event(kClosed, {kv("reason", reason)});
  }
};

TEST_F(LogTest, writes_one_line_with_time_level_event_and_fields_in_order) {
  log.event(kClosed, {kv("server", base::ConnectionId{17}), kv("reason", Reason::IdleTimeout),
                      kv("age_s", seconds(611))});
  EXPECT_THAT(sink.lines,
              ElementsAre("time=2026-11-22T10:00:00.000Z level=info event=server_closed server=17 "
                          "reason=idle_timeout age_s=611"));
  EXPECT_THAT(sink.levels, ElementsAre(Level::Info));
}

TEST_F(LogTest, leaves_out_the_time_that_the_sink_adds_itself) {
  wall_time.clear();
  log.event(kReloaded);
  EXPECT_THAT(sink.lines, ElementsAre("level=warning event=reloaded"));
}

TEST_F(LogTest, counts_what_is_below_its_level_without_writing_it) {
  log.event(kTraced);
  log.event(kTraced);
  EXPECT_THAT(sink.lines, SizeIs(0));
  EXPECT_EQ(log.count(kTraced), 2U);

  log.set_options({.level = Level::Debug});
  log.event(kTraced);
  EXPECT_THAT(sink.lines, SizeIs(1));
}

TEST_F(LogTest, counts_each_value_of_the_label_apart) {
  close_servers(2);
  close_servers(1, Reason::ServerGone);
  EXPECT_EQ(log.count(kClosed), 3U);
  EXPECT_EQ(log.count(kClosed, "idle_timeout"), 2U);
  EXPECT_EQ(log.count(kClosed, "server_gone"), 1U);
  EXPECT_EQ(log.count(kClosed, "never_seen"), 0U);
  EXPECT_EQ(log.count(kReloaded), 0U);

  const std::vector<EventCount> counts = log.counts();
  ASSERT_THAT(counts, SizeIs(2));
  EXPECT_EQ(counts[0].event->name, "server_closed");
  EXPECT_EQ(counts[0].label_value, "idle_timeout");
  EXPECT_EQ(counts[0].count, 2U);
}

TEST_F(LogTest, bounds_the_number_of_label_values_that_a_peer_could_invent) {
  for (int i = 0; i < 100; ++i) log.event(kClosed, {kv("reason", "r" + std::to_string(i))});
  EXPECT_LE(log.counts().size(), 5U);
  EXPECT_EQ(log.count(kClosed, "other"), 96U);
  EXPECT_EQ(log.count(kClosed), 100U);
}

TEST_F(LogTest, counts_a_missing_or_overlong_label_as_other) {
  log.event(kClosed);
  log.event(kClosed, {kv("reason", std::string(65, 'x'))});
  log.event(kClosed, {kv("reason", 7)});
  EXPECT_EQ(log.count(kClosed, "other"), 3U);
}

TEST_F(LogTest, writes_a_burst_and_then_says_how_many_it_left_out) {
  close_servers(10);
  EXPECT_THAT(sink.lines, SizeIs(3));
  now += seconds(10);
  close_servers(1);
  ASSERT_THAT(sink.lines, SizeIs(5));
  EXPECT_EQ(sink.lines[3],
            "time=2026-11-22T10:00:00.000Z level=info event=server_closed reason=idle_timeout "
            "suppressed=7");
  EXPECT_EQ(log.count(kClosed), 11U);
}

TEST_F(LogTest, does_not_let_a_flood_of_one_reason_hide_another) {
  close_servers(10);
  close_servers(1, Reason::ServerGone);
  EXPECT_THAT(sink.lines.back(), testing::HasSubstr("reason=server_gone"));
}

TEST_F(LogTest, writes_a_summary_although_the_event_does_not_come_back) {
  close_servers(5);
  log.write_suppressed();
  EXPECT_THAT(sink.lines, SizeIs(3)) << "the window is still open";
  now += seconds(10);
  log.write_suppressed();
  EXPECT_THAT(sink.lines.back(), testing::EndsWith("suppressed=2"));
  log.write_suppressed();
  EXPECT_THAT(sink.lines, SizeIs(4)) << "each is reported once";
}

TEST_F(LogTest, writes_open_summaries_at_the_end) {
  for (int i = 0; i < 5; ++i) log.event(kReloaded);
  log.write_suppressed(true);
  EXPECT_THAT(sink.lines.back(), testing::EndsWith("level=warning event=reloaded suppressed=2"));
}

TEST(CapturedLogTest, keeps_everything) {
  CapturedLog log;
  for (int i = 0; i < 100; ++i) log.event(kTraced, {kv("i", i)});
  EXPECT_THAT(log.lines(), SizeIs(100));
  EXPECT_TRUE(log.has("event=traced i=42"));
  EXPECT_FALSE(log.has("i=100"));
  EXPECT_EQ(log.count(kTraced), 100U);
}

TEST(CapturedLogTest, loses_nothing_between_threads) {
  CapturedLog log;
  const auto work = [&log] {
    for (int i = 0; i < 500; ++i) log.event(kClosed, {kv("reason", Reason::IdleTimeout)});
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log.count(kClosed), 2000U);
  EXPECT_THAT(log.lines(), SizeIs(2000));
}

constexpr Event kLogin{.name = "login", .topic = Topic::Connections, .doc = "Somebody came."};

TEST_F(LogTest, a_topic_that_is_off_is_counted_and_shown_at_debug_only) {
  log.event(kLogin);
  EXPECT_TRUE(sink.lines.empty());
  log.set_options({.has_connections = true});
  log.event(kLogin);
  EXPECT_EQ(sink.lines.size(), 1U);
  log.set_options({.level = Level::Debug});
  log.event(kLogin);
  EXPECT_EQ(sink.lines.size(), 2U);
  log.set_options({.level = Level::Warning, .has_connections = true});
  log.event(kLogin);
  EXPECT_EQ(sink.lines.size(), 2U);
  EXPECT_EQ(log.count(kLogin), 4U);
}

}  // namespace
}  // namespace pgweir::obs

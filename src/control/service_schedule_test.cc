#include "control/service_schedule.h"

#include <gtest/gtest.h>

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant kStart{1h};
ServiceSchedule make() { return {budget::Options{}, 1, kStart}; }

// As after a first discovery, with one client.
ServiceSchedule busy() {
  ServiceSchedule schedule = make();
  schedule.handle_clients(Clients::Active, kStart);
  schedule.handle_discovered(kStart + 5s, kStart);
  return schedule;
}

TEST(ServiceScheduleTest, discovers_at_the_start_even_without_clients) {
  EXPECT_EQ(make().next(false, kStart), Errand::Discover);
  EXPECT_EQ(make().due(false), kStart);
}

TEST(ServiceScheduleTest, measures_each_second_while_there_are_clients) {
  ServiceSchedule schedule = busy();
  EXPECT_EQ(schedule.next(true, kStart + 999ms), Errand::None);
  EXPECT_EQ(schedule.due(true), kStart + 1s);
  EXPECT_EQ(schedule.next(true, kStart + 1s), Errand::Measure);
  schedule.handle_measured(kStart + 1s);
  EXPECT_EQ(schedule.due(true), kStart + 2s);
}

TEST(ServiceScheduleTest, measures_less_often_while_clients_are_at_rest) {
  ServiceSchedule schedule = make();
  schedule.handle_discovered(kStart + 1h, kStart);
  schedule.handle_clients(Clients::AtRest, kStart);
  EXPECT_EQ(schedule.due(true), kStart + 5s);
  schedule.handle_clients(Clients::Active, kStart + 3s);
  EXPECT_EQ(schedule.due(true), kStart + 1s) << "it is overdue";
  EXPECT_EQ(measure_interval({.health_interval = 10s}, Clients::AtRest), 10s);
}

TEST(ServiceScheduleTest, looks_again_when_the_allowance_wants_it) {
  ServiceSchedule schedule = busy();
  schedule.handle_measured(kStart + 4999ms);
  EXPECT_EQ(schedule.next(true, kStart + 4999ms), Errand::None);
  EXPECT_EQ(schedule.next(true, kStart + 5s), Errand::Discover);
}

TEST(ServiceScheduleTest, looks_at_once_after_a_refusal_but_once_for_a_burst) {
  ServiceSchedule schedule = busy();
  schedule.handle_refused(kStart + 300ms);
  EXPECT_EQ(schedule.next(true, kStart + 300ms), Errand::Discover);
  schedule.handle_discovered(kStart + 310ms + 5s, kStart + 310ms);
  schedule.handle_refused(kStart + 320ms);
  EXPECT_EQ(schedule.next(true, kStart + 320ms), Errand::None);
  EXPECT_EQ(schedule.next(true, kStart + 410ms), Errand::Discover);
}

TEST(ServiceScheduleTest, closes_a_minute_after_the_last_client_and_then_rests) {
  ServiceSchedule schedule = busy();
  schedule.handle_clients(Clients::None, kStart + 1s);
  schedule.handle_discovered(kStart + 60s + 5s, kStart + 60s);
  EXPECT_EQ(schedule.due(true), kStart + 61s);
  EXPECT_EQ(schedule.next(true, kStart + 61s), Errand::Close);
  EXPECT_EQ(schedule.next(false, kStart + 24h), Errand::None);
  EXPECT_EQ(schedule.due(false), base::kNever);
  schedule.handle_clients(Clients::Active, kStart + 24h);
  EXPECT_EQ(schedule.next(false, kStart + 24h), Errand::Discover);
}

TEST(ServiceScheduleTest, stays_awake_while_told_so) {
  ServiceSchedule schedule({.monitor_idle = 0s}, 1, kStart);
  schedule.handle_discovered(kStart + 5s, kStart);
  EXPECT_EQ(schedule.next(true, kStart + 1h), Errand::Discover);
}

TEST(ServiceScheduleTest, backs_off_with_jitter_and_starts_anew_after_a_success) {
  ServiceSchedule schedule = make();
  base::Instant now = kStart;
  for (const base::Duration about : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 5000ms, 5000ms}) {
    schedule.handle_failed(false, now);
    EXPECT_GE(schedule.due(false), now + about * 3 / 4);
    EXPECT_LE(schedule.due(false), now + about * 5 / 4);
    now = schedule.due(false);
    EXPECT_EQ(schedule.next(false, now), Errand::Discover);
  }
  schedule.handle_discovered(now + 5s, now);
  schedule.handle_failed(false, now);
  EXPECT_LE(schedule.due(false), now + 313ms);
}

TEST(ServiceScheduleTest, asks_rarely_where_someone_has_to_change_something) {
  ServiceSchedule schedule = make();
  schedule.handle_failed(true, kStart);
  EXPECT_GE(schedule.due(false), kStart + 22s);
}

TEST(ServiceScheduleTest, keeps_trying_a_server_that_fails_although_nobody_is_there) {
  ServiceSchedule schedule = busy();
  schedule.handle_clients(Clients::None, kStart);
  schedule.handle_failed(false, kStart + 59s);
  EXPECT_NE(schedule.due(false), base::kNever);
  EXPECT_EQ(schedule.next(false, kStart + 2h), Errand::Discover);
}

TEST(ServiceScheduleTest, looks_for_lost_backends_each_second_and_does_not_sleep) {
  ServiceSchedule schedule = busy();
  schedule.handle_clients(Clients::None, kStart);
  schedule.handle_lost(1);
  EXPECT_EQ(schedule.next(true, kStart + 1s), Errand::FindLost);
  schedule.handle_looked_for_lost(kStart + 120s);
  schedule.handle_discovered(kStart + 120s + 5s, kStart + 120s);
  EXPECT_EQ(schedule.next(true, kStart + 120s), Errand::None);
  schedule.handle_lost(0);
  EXPECT_EQ(schedule.next(true, kStart + 120s), Errand::Close);
}

TEST(ServiceScheduleTest, closes_its_own_connection_as_a_guest_and_goes_on_asking) {
  ServiceSchedule schedule = busy();
  schedule.set_guest(true);
  EXPECT_EQ(schedule.next(true, kStart), Errand::Close);
  EXPECT_EQ(schedule.next(false, kStart + 900ms), Errand::None);
  EXPECT_EQ(schedule.next(false, kStart + 1s), Errand::Measure);
}

TEST(ServiceScheduleTest, comes_back_soon_when_it_was_crowded_out) {
  ServiceSchedule schedule = make();
  schedule.handle_crowded_out(kStart);
  EXPECT_EQ(schedule.due(false), kStart + 50ms);
  EXPECT_FALSE(schedule.is_failing());
}

}  // namespace
}  // namespace pgweir::control

#include "obs/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pgweir::obs {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(HistogramTest, puts_every_duration_between_the_bounds_of_its_bucket) {
  const auto check = [](base::Duration time) {
    const std::size_t index = HistogramBuckets::index_of(time);
    ASSERT_LT(index, HistogramBuckets::kCount);
    EXPECT_LE(time, HistogramBuckets::upper_bound(index)) << time.count();
    if (index == 0) return;
    EXPECT_GT(time, HistogramBuckets::upper_bound(index - 1)) << time.count();
  };
  for (std::int64_t ns = 1; ns < 40'000'000'000'000; ns += 1 + ns / 7) {
    check(nanoseconds(ns));
    check(microseconds(ns / 1000 + 1));
    check(microseconds(ns / 1000 + 1) + nanoseconds(1));
  }
}

TEST(HistogramTest, has_bounds_that_rise_and_end_after_nineteen_hours) {
  for (std::size_t i = 1; i < HistogramBuckets::kCount; ++i) {
    EXPECT_LT(HistogramBuckets::upper_bound(i - 1), HistogramBuckets::upper_bound(i));
  }
  EXPECT_GT(HistogramBuckets::upper_bound(HistogramBuckets::kCount - 1), hours(19));
}

TEST(HistogramTest, counts_and_sums) {
  Histogram histogram;
  histogram.record(milliseconds(2));
  histogram.record(seconds(3));
  const HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.count(), 2U);
  EXPECT_EQ(snapshot.sum(), milliseconds(3002));
}

TEST(HistogramTest, takes_the_impossible_without_harm) {
  Histogram histogram;
  histogram.record(nanoseconds(-5));
  histogram.record(nanoseconds(0));
  histogram.record(base::Duration::max());
  const HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.count(), 3U);
  EXPECT_EQ(snapshot.count_up_to(microseconds(1)), 2U);
}

TEST(HistogramTest, answers_quantiles_at_most_an_eighth_too_high) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.record(microseconds(10 * i));
  const HistogramSnapshot snapshot = histogram.snapshot();
  for (const double q : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = microseconds(static_cast<std::int64_t>(10'000 * q));
    EXPECT_GE(snapshot.quantile(q), exact) << q;
    EXPECT_LE(snapshot.quantile(q), exact + exact / 8 + microseconds(1)) << q;
  }
  EXPECT_EQ(Histogram().snapshot().quantile(0.5), base::Duration::zero());
}

TEST(HistogramTest, counts_a_duration_on_the_bound_within_it) {
  Histogram histogram;
  histogram.record(microseconds(64));
  histogram.record(microseconds(64) + nanoseconds(1));
  EXPECT_EQ(histogram.snapshot().count_up_to(microseconds(64)), 1U);
}

TEST(HistogramTest, merges) {
  Histogram fast;
  Histogram slow;
  fast.record(microseconds(5));
  slow.record(seconds(5));
  HistogramSnapshot both = fast.snapshot();
  both.merge(slow.snapshot());
  EXPECT_EQ(both.count(), 2U);
  EXPECT_EQ(both.sum(), seconds(5) + microseconds(5));
  EXPECT_EQ(both.quantile(0.5), microseconds(5));
}

TEST(HistogramTest, can_be_read_while_it_is_written) {
  Histogram histogram;
  std::thread writer([&histogram] {
    for (int i = 0; i < 20'000; ++i) histogram.record(microseconds(i));
  });
  std::uint64_t seen = 0;
  while (seen < 20'000) {
    const std::uint64_t count = histogram.snapshot().count();
    ASSERT_GE(count, seen);
    seen = count;
  }
  writer.join();
}

constexpr Family kLogins{.name = "pgweir_logins_total",
                         .help = "Logins.",
                         .type = MetricType::Counter,
                         .label_1 = "result"};
constexpr Family kServers{.name = "pgweir_servers",
                          .help = "Servers.",
                          .type = MetricType::Gauge,
                          .label_1 = "pool",
                          .label_2 = "state"};
constexpr Family kWait{
    .name = "pgweir_wait_seconds", .help = "Waiting.", .type = MetricType::Histogram};

TEST(MetricsTest, adds_up_the_slots_of_equal_labels) {
  Metrics metrics;
  Counter& first_reactor = metrics.add_counter(kLogins, "ok");
  Counter& second_reactor = metrics.add_counter(kLogins, "ok");
  Counter& failed = metrics.add_counter(kLogins, "wrong_password");
  first_reactor.add(3);
  second_reactor.add();
  failed.add();

  const std::vector<Sample> samples = metrics.collect();
  ASSERT_THAT(samples, testing::SizeIs(2));
  EXPECT_EQ(samples[0].family, &kLogins);
  EXPECT_EQ(samples[0].label_1, "ok");
  EXPECT_EQ(samples[0].value, 4);
  EXPECT_EQ(samples[1].label_1, "wrong_password");
  EXPECT_EQ(samples[1].value, 1);
}

TEST(MetricsTest, keeps_families_together_in_order_of_first_use) {
  Metrics metrics;
  metrics.add_gauge(kServers, "app", "idle").set(5);
  metrics.add_histogram(kWait).record(milliseconds(3));
  metrics.add_gauge(kServers, "app", "busy").add(-2);

  const std::vector<Sample> samples = metrics.collect();
  ASSERT_THAT(samples, testing::SizeIs(3));
  EXPECT_EQ(samples[0].value, 5);
  EXPECT_EQ(samples[1].label_2, "busy");
  EXPECT_EQ(samples[1].value, -2);
  ASSERT_TRUE(samples[2].histogram.has_value());
  EXPECT_EQ(samples[2].histogram->count(), 1U);
}

TEST(MetricsTest, keeps_slots_where_they_are_while_others_are_added) {
  Metrics metrics;
  Counter& first = metrics.add_counter(kLogins, "ok");
  for (int i = 0; i < 1000; ++i) metrics.add_counter(kLogins, std::to_string(i));
  first.add(7);
  EXPECT_EQ(metrics.collect()[0].value, 7);
}

}  // namespace
}  // namespace pgweir::obs

#include "gateway/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/process_metrics.h"
#include "obs/captured_log.h"
#include "obs/families.h"

namespace pgweir::gateway {
namespace {

using obs::kv;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr obs::Event kClosed{
    .name = "server_closed", .label = "reason", .doc = "A server connection was closed."};
constexpr obs::Event kReloaded{.name = "reloaded", .doc = "Read again."};

// The text, taken apart as a scraper would: a line that is none fails the test.
struct Exposition {
  std::map<std::string, std::string> types;  // By family.
  std::map<std::string, double> values;      // By name and labels as written.
  std::vector<std::string> names_in_order;   // Of the families.
};

void parse_line(const std::string& line, Exposition& exposition) {
  static const std::regex kComment(R"(# (HELP|TYPE) ([a-z_]+) (.*))");
  static const std::regex kSample(
      R"re(([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? (\S+))re");
  std::smatch match;
  if (std::regex_match(line, match, kComment)) {
    if (match[1] == "HELP") return;
    EXPECT_TRUE(exposition.types.emplace(match[2], match[3]).second) << "declared twice: " << line;
    exposition.names_in_order.push_back(match[2]);
    return;
  }
  ASSERT_TRUE(std::regex_match(line, match, kSample)) << line;
  const std::string name = match[1];
  EXPECT_FALSE(exposition.names_in_order.empty()) << line;
  EXPECT_TRUE(name.starts_with(exposition.names_in_order.back())) << "out of its family: " << line;
  const double value = match[3] == "+Inf" ? 1e300 : std::stod(match[3]);
  EXPECT_TRUE(exposition.values.emplace(name + match[2].str(), value).second) << "twice: " << line;
}

Exposition parse(const std::string& text) {
  Exposition exposition;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) parse_line(line, exposition);
  EXPECT_TRUE(text.ends_with('\n'));
  return exposition;
}

constexpr obs::Family kVisits{.name = "visits_total",
                              .help = "Who came.",
                              .type = obs::MetricType::Counter,
                              .label_1 = "result"};

TEST(MetricsTextTest, shows_gauges_and_counters_with_their_labels) {
  obs::Metrics metrics;
  metrics.add_gauge(obs::kClients, "app").set(40);
  metrics.add_gauge(obs::kServers, "app", "idle").set(3);
  metrics.add_gauge(obs::kServers, "app", "busy").set(4);
  metrics.add_counter(kVisits, "ok").add(12);
  const Exposition shown = parse(metrics_text({.samples = metrics.collect()}));

  EXPECT_EQ(shown.types.at("pgweir_clients"), "gauge");
  EXPECT_EQ(shown.types.at("visits_total"), "counter");
  EXPECT_EQ(shown.values.at(R"(pgweir_clients{pool="app"})"), 40);
  EXPECT_EQ(shown.values.at(R"(pgweir_servers{pool="app",state="busy"})"), 4);
  EXPECT_EQ(shown.values.at(R"(visits_total{result="ok"})"), 12);
}

TEST(MetricsTextTest, says_which_version_runs) {
  const Exposition shown = parse(metrics_text({}));
  EXPECT_EQ(shown.values.at("pgweir_build_info{version=\"" PGWEIR_VERSION "\"}"), 1);
}

TEST(MetricsTextTest, keeps_a_hostile_pool_name_inside_its_label) {
  obs::Metrics metrics;
  metrics.add_gauge(obs::kWaiting, "a\"} 9\npgweir_forged 1\\").set(1);
  const Exposition shown = parse(metrics_text({.samples = metrics.collect()}));
  EXPECT_EQ(shown.types.size(), 2U);
  EXPECT_EQ(shown.values.at(R"(pgweir_waiting{pool="a\"} 9\npgweir_forged 1\\"})"), 1);
}

TEST(MetricsTextTest, shows_a_histogram_with_exact_rising_buckets) {
  obs::Metrics metrics;
  obs::Histogram& wait = metrics.add_histogram(obs::kWaitSeconds, "app");
  wait.record(microseconds(64));
  wait.record(microseconds(65));
  wait.record(milliseconds(5));
  wait.record(seconds(1000));
  const std::string text = metrics_text({.samples = metrics.collect()});
  const Exposition shown = parse(text);

  EXPECT_EQ(shown.types.at("pgweir_wait_seconds"), "histogram");
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_count{pool="app"})"), 4);
  EXPECT_NEAR(shown.values.at(R"(pgweir_wait_seconds_sum{pool="app"})"), 1000.005129, 1e-6);
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_bucket{pool="app",le="6.4e-05"})"), 1);
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_bucket{pool="app",le="0.000128"})"), 2);
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_bucket{pool="app",le="0.004096"})"), 2);
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_bucket{pool="app",le="0.008192"})"), 3);
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_bucket{pool="app",le="67.108864"})"), 3);
  EXPECT_EQ(shown.values.at(R"(pgweir_wait_seconds_bucket{pool="app",le="+Inf"})"), 4);
}

TEST(MetricsTextTest, makes_a_counter_of_each_event) {
  obs::CapturedLog log;
  log.event(kClosed, {kv("reason", "idle_timeout")});
  log.event(kReloaded);
  log.event(kClosed, {kv("reason", "server_gone")});
  log.event(kClosed, {kv("reason", "idle_timeout")});
  const Exposition shown = parse(metrics_text({.events = log.counts()}));

  EXPECT_EQ(shown.types.at("pgweir_server_closed_total"), "counter");
  EXPECT_EQ(shown.values.at(R"(pgweir_server_closed_total{reason="idle_timeout"})"), 2);
  EXPECT_EQ(shown.values.at(R"(pgweir_server_closed_total{reason="server_gone"})"), 1);
  EXPECT_EQ(shown.values.at("pgweir_reloaded_total"), 1);
}

double value_of(const std::vector<obs::Sample>& samples, std::string_view name) {
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [name](const obs::Sample& s) { return s.family->name == name; });
  return found == samples.end() ? -1 : found->value;
}

TEST(ProcessMetricsTest, tells_plausible_numbers_of_this_process) {
  const std::vector<obs::Sample> samples = read_process_metrics();
  EXPECT_EQ(samples.size(), 7U);
  EXPECT_GE(value_of(samples, "process_cpu_seconds_total"), 0);
  EXPECT_GT(value_of(samples, "process_resident_memory_bytes"), 1e6);
  EXPECT_LT(value_of(samples, "process_resident_memory_bytes"),
            value_of(samples, "process_virtual_memory_bytes"));
  EXPECT_GE(value_of(samples, "process_threads"), 1);
  EXPECT_GE(value_of(samples, "process_open_fds"), 3);
  EXPECT_GE(value_of(samples, "process_max_fds"), value_of(samples, "process_open_fds"));
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(value_of(samples, "process_start_time_seconds"), now + 2);
  EXPECT_GT(value_of(samples, "process_start_time_seconds"), now - 24 * 3600);
}

}  // namespace
}  // namespace pgweir::gateway

#include "gateway/metrics_text.h"

#include <prometheus/text_serializer.h>

#include <chrono>
#include <utility>
#include <vector>

#include "base/time.h"

namespace pgweir::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

constexpr obs::Family kBuildInfo{.name = "pgweir_build_info",
                                 .help = "Always 1; the label says which version runs.",
                                 .label_1 = "version"};

prometheus::MetricType type_of(obs::MetricType type) {
  switch (type) {
    case obs::MetricType::Counter: return prometheus::MetricType::Counter;
    case obs::MetricType::Gauge: return prometheus::MetricType::Gauge;
    case obs::MetricType::Histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

double seconds_of(base::Duration time) { return std::chrono::duration<double>(time).count(); }

void add_label(ClientMetric& metric, std::string_view name, std::string_view value) {
  if (!name.empty()) metric.label.push_back({std::string(name), std::string(value)});
}

// Doublings from 64 µs to 67 s. Each is the bound of a bucket of ours, so the counts are exact;
// rounder numbers would have to be guessed.
ClientMetric::Histogram exposition_of(const obs::HistogramSnapshot& from) {
  ClientMetric::Histogram to;
  to.sample_count = from.count();
  to.sample_sum = seconds_of(from.sum());
  for (std::chrono::microseconds le{64}; le <= std::chrono::seconds(68); le *= 2) {
    to.bucket.push_back({from.count_up_to(le), seconds_of(le)});
  }
  return to;
}

ClientMetric metric_of(const obs::Sample& sample) {
  ClientMetric metric;
  add_label(metric, sample.family->label_1, sample.label_1);
  add_label(metric, sample.family->label_2, sample.label_2);
  switch (sample.family->type) {
    case obs::MetricType::Counter: metric.counter.value = sample.value; break;
    case obs::MetricType::Gauge: metric.gauge.value = sample.value; break;
    case obs::MetricType::Histogram:
      metric.histogram = exposition_of(sample.histogram.value_or(obs::HistogramSnapshot{}));
      break;
  }
  return metric;
}

MetricFamily& family_named(std::vector<MetricFamily>& families, std::string name,
                           std::string_view help, obs::MetricType type) {
  if (families.empty() || families.back().name != name) {
    families.push_back({std::move(name), std::string(help), type_of(type), {}});
  }
  return families.back();
}

void add_sample(std::vector<MetricFamily>& families, const obs::Sample& sample) {
  const obs::Family& family = *sample.family;
  family_named(families, std::string(family.name), family.help, family.type)
      .metric.push_back(metric_of(sample));
}

void add_event(std::vector<MetricFamily>& families, const obs::EventCount& event) {
  std::string name = "pgweir_" + std::string(event.event->name) + "_total";
  ClientMetric metric;
  add_label(metric, event.event->label, event.label_value);
  metric.counter.value = static_cast<double>(event.count);
  family_named(families, std::move(name), event.event->doc, obs::MetricType::Counter)
      .metric.push_back(std::move(metric));
}

}  // namespace

std::string metrics_text(const MetricsSnapshot& metrics) {
  std::vector<MetricFamily> families;
  add_sample(families, {.family = &kBuildInfo, .label_1 = PGWEIR_VERSION, .value = 1});
  for (const obs::Sample& sample : metrics.samples) add_sample(families, sample);
  for (const obs::EventCount& event : metrics.events) add_event(families, event);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace pgweir::gateway

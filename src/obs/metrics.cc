#include "obs/metrics.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/assert.h"

namespace pgweir::obs {
namespace {

// Where the sample of these labels is among those of one family.
using Index = std::map<std::pair<std::string_view, std::string_view>, std::size_t>;

// The sample that a slot adds to.
template <class Slot>
Sample& find_or_add(std::vector<Sample>& samples, Index& index, const Slot& slot) {
  const auto [at, is_new] = index.try_emplace({slot.label_1, slot.label_2}, samples.size());
  if (!is_new) return samples[at->second];
  return samples.emplace_back(
      Sample{.family = slot.family, .label_1 = slot.label_1, .label_2 = slot.label_2});
}

void add_up(Sample& sample, const Histogram& histogram) {
  if (!sample.histogram) sample.histogram.emplace();
  sample.histogram->merge(histogram.snapshot());
}
template <class Number>
void add_up(Sample& sample, const Number& number) {
  sample.value += static_cast<double>(number.value());
}

template <class Slots>
void collect_family(const Slots& slots, const Family* family, std::vector<Sample>& samples) {
  Index index;
  for (const auto& slot : slots) {
    if (slot.family == family) add_up(find_or_add(samples, index, slot), slot.metric);
  }
}

}  // namespace

Counter& Metrics::add_counter(const Family& family, std::string_view label_1,
                              std::string_view label_2) {
  ASSERT(family.type == MetricType::Counter);
  return add(counters_, family, label_1, label_2);
}

Gauge& Metrics::add_gauge(const Family& family, std::string_view label_1,
                          std::string_view label_2) {
  ASSERT(family.type == MetricType::Gauge);
  return add(gauges_, family, label_1, label_2);
}

Histogram& Metrics::add_histogram(const Family& family, std::string_view label_1,
                                  std::string_view label_2) {
  ASSERT(family.type == MetricType::Histogram);
  return add(histograms_, family, label_1, label_2);
}

std::vector<Sample> Metrics::collect() const {
  const std::lock_guard lock(mutex_);
  std::vector<Sample> samples;
  for (const Family* family : families_) {
    switch (family->type) {
      case MetricType::Counter: collect_family(counters_, family, samples); break;
      case MetricType::Gauge: collect_family(gauges_, family, samples); break;
      case MetricType::Histogram: collect_family(histograms_, family, samples); break;
    }
  }
  return samples;
}

template <class T>
T& Metrics::add(std::deque<Slot<T>>& slots, const Family& family, std::string_view label_1,
                std::string_view label_2) {
  const std::lock_guard lock(mutex_);
  if (std::find(families_.begin(), families_.end(), &family) == families_.end()) {
    families_.push_back(&family);
  }
  Slot<T>& slot = slots.emplace_back();
  slot.family = &family;
  slot.label_1 = label_1;
  slot.label_2 = label_2;
  return slot.metric;
}

}  // namespace pgweir::obs

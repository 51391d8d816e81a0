// Metrics: the registry of numbers that /metrics shows besides the events. A Family is declared
// once, like an Event; each thread that counts asks for its own slot of it, and slots of equal
// labels are added up when they are read. No text format here: the gateway writes that.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "obs/counter.h"
#include "obs/histogram.h"

namespace pgweir::obs {

enum class MetricType : std::uint8_t { Counter, Gauge, Histogram };

// Declared `inline constexpr`, with literals only.
struct Family {
  std::string_view name;  // "pgweir_servers"; a counter ends in _total, a histogram in its unit.
  std::string_view help;
  MetricType type = MetricType::Gauge;
  std::string_view label_1 = {};  // Names of the labels; empty: none.
  std::string_view label_2 = {};
};

// One line of a family, or the lines of one histogram.
struct Sample {
  const Family* family = nullptr;
  std::string label_1 = {};  // Values of the labels.
  std::string label_2 = {};
  double value = 0;                                 // Counters and gauges.
  std::optional<HistogramSnapshot> histogram = {};  // Histograms, durations in seconds.
};

class Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // A new slot of the family with these labels, written by one thread from then on. Slots live as
  // long as the registry, for a counter must not fall: ask once per thread and pool and keep it.
  // Any thread may ask. REQUIRES: family.type fits; family is of static storage.
  Counter& add_counter(const Family& family, std::string_view label_1 = {},
                       std::string_view label_2 = {});
  Gauge& add_gauge(const Family& family, std::string_view label_1 = {},
                   std::string_view label_2 = {});
  Histogram& add_histogram(const Family& family, std::string_view label_1 = {},
                           std::string_view label_2 = {});

  // All numbers as they are now, slots of equal labels added up, families in order of first use.
  std::vector<Sample> collect() const;

 private:
  // On cache lines of its own, since the neighbour may belong to another thread.
  template <class T>
  struct alignas(64) Slot {
    const Family* family;
    std::string label_1;
    std::string label_2;
    T metric{};
  };

  mutable std::mutex mutex_;  // Guards the lists, not the numbers in them.
  std::deque<Slot<Counter>> counters_;
  std::deque<Slot<Gauge>> gauges_;
  std::deque<Slot<Histogram>> histograms_;
  std::vector<const Family*> families_;  // In order of first use.

  template <class T>
  T& add(std::deque<Slot<T>>& slots, const Family& family, std::string_view label_1,
         std::string_view label_2);
};

}  // namespace pgweir::obs

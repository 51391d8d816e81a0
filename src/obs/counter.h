// Counter and Gauge: numbers that one thread writes and any thread reads. Relaxed and without a
// locked instruction, so they cost a plain store; a reader may see two of them at slightly
// different moments. What several threads count is several counters, added up when read
// (obs/metrics.h).
#pragma once

#include <atomic>
#include <cstdint>

namespace pgweir::obs {

// Only rises.
class Counter {
 public:
  // REQUIRES: called by the one thread that owns the counter.
  void add(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Rises and falls.
class Gauge {
 public:
  // REQUIRES: called by the one thread that owns the gauge.
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t change = 1) { set(value() + change); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace pgweir::obs

// Tally: what a sandwich has counted in its measured time, and what follows from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace pgweir::bench {

class Tally {
 public:
  explicit Tally(std::size_t client_count) : by_client_(client_count) {}

  void add_turn(std::size_t client, std::size_t transactions, base::Duration latency);
  // How long a server had nothing to do between two requests.
  void add_server_gap(base::Duration gap);

  std::uint64_t transaction_count() const { return transactions_; }
  // cpu: what the pooler used in that time. Durations in µs, as JSON.
  std::string to_json(base::Duration time, std::chrono::nanoseconds cpu) const;

 private:
  std::uint64_t transactions_ = 0;
  std::vector<std::uint64_t> by_client_;
  std::vector<float> latencies_us_;
  base::Duration gaps_{};
  std::uint64_t gap_count_ = 0;
};

}  // namespace pgweir::bench

// Tally: what the clients of a sandwich have got in its measured time, and what follows from it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "latencies.h"
#include "meter.h"
#include "scenario.h"

namespace pgweir::bench {

class Tally {
 public:
  explicit Tally(std::size_t client_count) : by_client_(client_count) {}

  void add_turn(std::size_t client, std::size_t transactions, base::Duration latency);
  // How long a server had nothing to do between two requests.
  void add_server_gap(base::Duration gap);

  // watch: over the same time.
  Figures report(const Watch& watch) const;

 private:
  std::uint64_t transactions_ = 0;
  std::vector<std::uint64_t> by_client_;
  Latencies latencies_;
  base::Duration gaps_{};
  std::uint64_t gap_count_ = 0;
};

}  // namespace pgweir::bench

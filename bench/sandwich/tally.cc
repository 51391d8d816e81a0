#include "tally.h"

#include <algorithm>

namespace pgweir::bench {

namespace {

// 1: all have had the same; 1/n: one has had everything.
double jain_index(const std::vector<std::uint64_t>& counts) {
  double sum = 0;
  double squares = 0;
  for (const std::uint64_t count : counts) {
    sum += static_cast<double>(count);
    squares += static_cast<double>(count) * static_cast<double>(count);
  }
  return squares == 0 ? 0 : sum * sum / (static_cast<double>(counts.size()) * squares);
}

}  // namespace

void Tally::add_turn(std::size_t client, std::size_t transactions, base::Duration latency) {
  transactions_ += transactions;
  by_client_[client] += transactions;
  latencies_.add(latency);
}

void Tally::add_server_gap(base::Duration gap) {
  gaps_ += gap;
  ++gap_count_;
}

Figures Tally::report(const Watch& watch) const {
  const auto count = static_cast<double>(transactions_);
  const auto [least, most] = std::minmax_element(by_client_.begin(), by_client_.end());
  const double median = latencies_.percentile_us(0.5);
  Figures figures{
      {"transactions", count},
      {"seconds", watch.seconds()},
      {"transactions_per_second", count / watch.seconds()},
      {"cpu_us_per_transaction", watch.cpu_seconds() * 1e6 / std::max(count, 1.0)},
      {"cpu_share", watch.cpu_seconds() / watch.seconds()},
      {"server_gap_us", gap_count_ == 0 ? 0 : us_of(gaps_) / static_cast<double>(gap_count_)},
      {"per_client_least", static_cast<double>(*least)},
      {"per_client_most", static_cast<double>(*most)},
      {"jain", jain_index(by_client_)},
      {"p99_by_p50", median == 0 ? 0 : latencies_.percentile_us(0.99) / median}};
  latencies_.report("latency", figures);
  return figures;
}

}  // namespace pgweir::bench

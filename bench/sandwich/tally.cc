#include "tally.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace pgweir::bench {

namespace {

double us_of(base::Duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

// Of sorted values; 0 where there are none.
double percentile(const std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double at = share * static_cast<double>(sorted.size() - 1);
  return static_cast<double>(sorted[static_cast<std::size_t>(std::lround(at))]);
}

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
  latencies_us_.push_back(static_cast<float>(us_of(latency)));
}

void Tally::add_server_gap(base::Duration gap) {
  gaps_ += gap;
  ++gap_count_;
}

std::string Tally::to_json(base::Duration time, std::chrono::nanoseconds cpu) const {
  std::vector<float> sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  const auto [least, most] = std::minmax_element(by_client_.begin(), by_client_.end());
  const double count = static_cast<double>(std::max<std::uint64_t>(transactions_, 1));
  const nlohmann::ordered_json json{
      {"transactions", transactions_},
      {"seconds", us_of(time) / 1e6},
      {"transactions_per_second", static_cast<double>(transactions_) / us_of(time) * 1e6},
      {"cpu_us_per_transaction", us_of(cpu) / count},
      {"cpu_share", us_of(cpu) / us_of(time)},
      {"latency_us",
       {{"p50", percentile(sorted, 0.5)},
        {"p99", percentile(sorted, 0.99)},
        {"max", percentile(sorted, 1)}}},
      {"server_gap_us", gap_count_ == 0 ? 0 : us_of(gaps_) / static_cast<double>(gap_count_)},
      {"per_client", {{"least", *least}, {"most", *most}, {"jain", jain_index(by_client_)}}}};
  return json.dump();
}

}  // namespace pgweir::bench

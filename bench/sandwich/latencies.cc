#include "latencies.h"

#include <algorithm>
#include <cmath>

namespace pgweir::bench {

double Latencies::percentile_us(double share) const {
  if (us_.empty()) return 0;
  std::vector<float> sorted = us_;
  const auto at = sorted.begin() + std::lround(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), at, sorted.end());
  return static_cast<double>(*at);
}

void Latencies::report(const std::string& name, Figures& figures) const {
  figures.emplace_back(name + "_p50_us", percentile_us(0.5));
  figures.emplace_back(name + "_p99_us", percentile_us(0.99));
  figures.emplace_back(name + "_p999_us", percentile_us(0.999));
  figures.emplace_back(name + "_max_us", percentile_us(1));
}

}  // namespace pgweir::bench

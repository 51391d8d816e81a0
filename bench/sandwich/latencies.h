// Latencies: how long things took, one by one, and how that is spread.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "scenario.h"

namespace pgweir::bench {

inline double us_of(base::Duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

class Latencies {
 public:
  void add(base::Duration latency) { us_.push_back(static_cast<float>(us_of(latency))); }
  // share: 0.5 is the median. 0 where there are none.
  double percentile_us(double share) const;
  // `name`_p50_us, `name`_p99_us, `name`_p999_us and `name`_max_us.
  void report(const std::string& name, Figures& figures) const;

 private:
  std::vector<float> us_;
};

}  // namespace pgweir::bench

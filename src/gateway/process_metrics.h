// What the operating system knows about this process: the process_* metrics that every Prometheus
// client library exports under these names. Read from /proc (proc(5)).
#pragma once

#include <vector>

#include "obs/metrics.h"

namespace pgweir::gateway {

// The present values; what /proc does not tell is left out.
std::vector<obs::Sample> read_process_metrics();

}  // namespace pgweir::gateway

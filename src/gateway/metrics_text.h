// /metrics in Prometheus' text format: the families of obs/families.h, one counter for each event
// that has happened (pgweir_<event>_total), process_* and pgweir_build_info.
#pragma once

#include <string>
#include <string_view>

#include "gateway/snapshot.h"

namespace pgweir::gateway {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// REQUIRES: samples of one family stand together, as do counts of one event; names are unique.
std::string metrics_text(const MetricsSnapshot& metrics);

}  // namespace pgweir::gateway

// FakeSource: a SnapshotSource that says what a test put into it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/snapshot.h"

namespace pgweir::gateway {

class FakeSource final : public SnapshotSource {
 public:
  HealthSnapshot health() const override { return health_value; }
  std::vector<ReactorLiveness> reactors() const override { return reactors_value; }
  Readiness readiness() const override { return readiness_value; }
  MetricsSnapshot metrics() const override { return metrics_value; }

  HealthSnapshot health_value = {.is_connected = true,
                                 .active_connections = 5,
                                 .age = std::chrono::milliseconds(412),
                                 .max_connections = 100,
                                 .usable = 90,
                                 .pool = {.limit = 90,
                                          .open = 12,
                                          .in_use = 7,
                                          .idle = 3,
                                          .connecting = 1,
                                          .closing = 1,
                                          .waiting = 2}};
  std::vector<ReactorLiveness> reactors_value = {{"data-0", std::chrono::milliseconds(3)}};
  Readiness readiness_value = Readiness::Ready;
  MetricsSnapshot metrics_value = {};
};

}  // namespace pgweir::gateway

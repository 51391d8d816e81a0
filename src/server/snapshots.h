// Snapshots: what the gateway serves, put together from what the threads publish: the control
// thread's snapshot, the metrics, the reactors' last turns. It asks nobody anything.
#pragma once

#include <atomic>
#include <vector>

#include "control/control.h"
#include "gateway/snapshot.h"
#include "net/reactor.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "pool/exchange.h"

namespace pgweir::server {

// What all nodes together come to. set_limit: of the whole process; 0 is none.
gateway::HealthSnapshot health_of(const control::ControlSnapshot& control, std::uint32_t set_limit,
                                  base::Instant now);

class Snapshots final : public gateway::SnapshotSource {
 public:
  // All are borrowed and outlive the gateway. set_limit: as in health_of().
  Snapshots(const control::Control& control, const obs::Metrics& metrics, const obs::Log& log,
            std::uint32_t set_limit)
      : control_(control), metrics_(metrics), log_(log), set_limit_(set_limit) {}

  void add_reactor(const net::Reactor& reactor) { reactors_.push_back(&reactor); }
  void set_readiness(gateway::Readiness readiness) { readiness_.store(readiness); }

  gateway::HealthSnapshot health() const override;
  std::vector<gateway::ReactorLiveness> reactors() const override;
  gateway::Readiness readiness() const override { return readiness_.load(); }
  gateway::MetricsSnapshot metrics() const override;

 private:
  const control::Control& control_;
  const obs::Metrics& metrics_;
  const obs::Log& log_;
  const std::uint32_t set_limit_;
  std::vector<const net::Reactor*> reactors_;
  std::atomic<gateway::Readiness> readiness_{gateway::Readiness::Starting};
};

}  // namespace pgweir::server

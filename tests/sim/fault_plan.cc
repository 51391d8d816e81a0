#include "sim/fault_plan.h"

namespace pgweir::sim {
namespace {

// Two faults of three are absent; the weight of one that is there varies a hundredfold.
double weight(base::Rng& rng, double most) {
  if (!rng.chance(0.34)) return 0;
  const double scale[] = {0.01, 0.1, 0.3, 1.0};
  return most * scale[rng.below(4)];
}

}  // namespace

FaultPlan FaultPlan::draw(base::Rng& rng) {
  FaultPlan plan;
  if (rng.chance(0.2)) return plan;
  plan.delay = weight(rng, 0.5);
  plan.stall = weight(rng, 0.01);
  plan.split = weight(rng, 1.0);
  plan.partial_send = weight(rng, 0.5);
  plan.small_buffer = weight(rng, 0.5);
  plan.late_timer = weight(rng, 0.5);
  plan.slow_reader = weight(rng, 0.3);
  plan.vanish = weight(rng, 0.2);
  if (rng.chance(0.5)) return plan;
  plan.reset_client = weight(rng, 0.02);
  plan.reset_server = weight(rng, 0.02);
  plan.lost_end = weight(rng, 0.3);
  plan.refuse = weight(rng, 0.5);
  plan.slow_login = weight(rng, 0.3);
  plan.crash = weight(rng, 0.2);
  plan.kill_backend = weight(rng, 1.0);
  plan.lost_cancel = weight(rng, 0.3);
  return plan;
}

}  // namespace pgweir::sim

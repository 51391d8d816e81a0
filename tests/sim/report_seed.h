// Which seed is being simulated, and the one line that says how to see it again when the process
// aborts: an ASSERT of pgweir, a finding of the simulation or of a sanitizer.
#pragma once

#include <cstdint>

namespace pgweir::sim {

void set_current_seed(std::uint64_t seed);
void report_seed_on_abort();

}  // namespace pgweir::sim

// Catalog: the workloads by their names, and which scenario plays each.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plan.h"
#include "scenario.h"

namespace pgweir::bench {

std::vector<std::string> workload_names();

// What the workload `name` presupposes, where the caller has not said anything.
void set_defaults(std::string_view name, Plan& plan);

// REQUIRES: a name of workload_names().
std::unique_ptr<Scenario> make_scenario(std::string_view name, const Plan& plan,
                                        Sandwich& sandwich);

}  // namespace pgweir::bench

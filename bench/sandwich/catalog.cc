#include "catalog.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "scenarios/at_rate.h"
#include "scenarios/churn.h"
#include "scenarios/cold.h"
#include "scenarios/desertion.h"
#include "scenarios/idle.h"
#include "scenarios/laps.h"
#include "scenarios/slow_readers.h"
#include "scenarios/soak.h"
#include "scenarios/steady.h"
#include "scenarios/storm.h"

namespace pgweir::bench {

namespace {

using Maker = std::unique_ptr<Scenario> (*)(const Plan& plan, Sandwich& sandwich);

template <class Kind>
std::unique_ptr<Scenario> make(const Plan& plan, Sandwich& sandwich) {
  return std::make_unique<Kind>(plan, sandwich);
}

struct Entry {
  std::string_view name;
  Kind kind;  // What a client asks.
  Maker make;
};

constexpr std::array kEntries{Entry{"simple", Kind::Simple, make<Steady>},
                              Entry{"prepared", Kind::Prepared, make<Steady>},
                              Entry{"parsed", Kind::Parsed, make<Steady>},
                              Entry{"pipelined", Kind::Pipelined, make<Steady>},
                              Entry{"bulk", Kind::Bulk, make<Steady>},
                              Entry{"copy-out", Kind::CopyOut, make<Steady>},
                              Entry{"copy-in", Kind::CopyIn, make<Steady>},
                              Entry{"rate", Kind::Simple, make<AtRate>},
                              Entry{"soak", Kind::Simple, make<Soak>},
                              Entry{"slow-readers", Kind::Simple, make<SlowReaders>},
                              Entry{"desertion", Kind::Simple, make<Desertion>},
                              Entry{"churn", Kind::Simple, make<Churn>},
                              Entry{"storm", Kind::Simple, make<Storm>},
                              Entry{"cold", Kind::Simple, make<Cold>},
                              Entry{"idle", Kind::Simple, make<Idle>},
                              Entry{"idle-prepared", Kind::Prepared, make<Idle>},
                              Entry{"idle-bulk", Kind::Bulk, make<Idle>}};

const Entry& entry_of(std::string_view name) {
  const auto* const at = std::find_if(kEntries.begin(), kEntries.end(),
                                      [name](const Entry& entry) { return entry.name == name; });
  ASSERT(at != kEntries.end());
  return *at;
}

}  // namespace

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.name);
  return names;
}

void set_defaults(std::string_view name, Plan& plan) { plan.workload.kind = entry_of(name).kind; }

std::unique_ptr<Scenario> make_scenario(std::string_view name, const Plan& plan,
                                        Sandwich& sandwich) {
  if (plan.conductor) return std::make_unique<Laps>(plan, sandwich);
  return entry_of(name).make(plan, sandwich);
}

}  // namespace pgweir::bench

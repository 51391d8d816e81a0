#include "agenda.h"

#include <utility>
#include <vector>

namespace pgweir::bench {

void Agenda::do_due(base::Instant now) {
  std::vector<Task> due;
  const auto end = tasks_.upper_bound(now);
  for (auto at = tasks_.begin(); at != end; ++at) due.push_back(std::move(at->second));
  tasks_.erase(tasks_.begin(), end);
  for (const Task& task : due) task(now);
}

}  // namespace pgweir::bench

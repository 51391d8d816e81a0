#include "control/lost_backends.h"

#include <fmt/format.h>

#include <charconv>
#include <unordered_set>
#include <utility>

namespace pgweir::control {

namespace {

// $1: pids; $2: how long each has been lost, in seconds. A backend that began later is another one
// with the same pid. Where we may not see when it began (another role's), that it is younger than
// the loss is proven only by a younger postmaster. What is ours is ended.
constexpr const char* kQuestion =
    "select a.pid, "
    "case when a.usename = current_user then pg_catalog.pg_terminate_backend(a.pid) end "
    "from unnest($1::int[], $2::float8[]) as l(pid, lost_s) "
    "join pg_catalog.pg_stat_activity a on a.pid = l.pid "
    "where coalesce(a.backend_start, pg_catalog.pg_postmaster_start_time()) "
    "<= pg_catalog.clock_timestamp() - l.lost_s * interval '1 second'";

int parse_pid(const std::optional<std::string>& text) {
  int pid = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), pid);
  return pid;
}

}  // namespace

LostBackends::Gone LostBackends::add(int pid, Gone gone, base::Instant now) {
  Lost& lost = lost_[pid];
  return std::exchange(lost, Lost{now, std::move(gone)}).gone;
}

Statement LostBackends::question(base::Instant now) {
  std::string pids;
  std::string ages;
  for (auto& [pid, lost] : lost_) {
    lost.is_asked_for = true;
    const std::chrono::duration<double> age = now - lost.since;
    pids += fmt::format("{}{}", pids.empty() ? "{" : ",", pid);
    ages += fmt::format("{}{:.3f}", ages.empty() ? "{" : ",", age.count());
  }
  return {kQuestion, {pids + "}", ages + "}"}};
}

std::vector<LostBackends::Gone> LostBackends::handle_answer(const Rows& rows) {
  std::unordered_set<int> there;
  for (const Row& row : rows) there.insert(row.empty() ? 0 : parse_pid(row[0]));
  std::vector<Gone> gone;
  for (auto one = lost_.begin(); one != lost_.end();) {
    const bool is_gone = one->second.is_asked_for && !there.contains(one->first);
    if (is_gone) gone.push_back(std::move(one->second.gone));
    one = is_gone ? lost_.erase(one) : std::next(one);
  }
  return gone;
}

}  // namespace pgweir::control

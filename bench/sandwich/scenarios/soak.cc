#include "scenarios/soak.h"

#include <algorithm>

#include "sandwich.h"

namespace pgweir::bench {

namespace {

constexpr std::size_t kLaps = 12;
constexpr std::size_t kLapsOfFirstHalf = kLaps / 2;
// Until the pooler has seen who has gone.
constexpr base::Duration kSettling = std::chrono::milliseconds(200);

}  // namespace

void Soak::begin(base::Instant now) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    Workload workload = plan_.workload;
    if (i % 3 == 1) workload.kind = Kind::Prepared;
    sandwich_.connect(sandwich_.add_client(workload));
  }
  busy_ = plan_.client_count;
  sandwich_.do_at(now + plan_.warm_up, [this](base::Instant) { has_to_rest_ = true; });
}

bool Soak::is_leaver(std::size_t client) const { return client % 3 == 2; }

void Soak::handle_logged_in(std::size_t client, base::Instant now) {
  ++logins_;
  sandwich_.ask(client, now);
}

void Soak::handle_answered(std::size_t client, base::Instant now) {
  ++transactions_;
  if (is_leaver(client)) sandwich_.leave(client, now);
  if (!has_to_rest_) return work_on(client, now);
  if (--busy_ > 0) return;
  sandwich_.do_at(now + kSettling, [this](base::Instant later) { look(later); });
}

void Soak::work_on(std::size_t client, base::Instant now) {
  if (is_leaver(client)) {
    sandwich_.connect(client);
  } else {
    sandwich_.ask(client, now);
  }
}

void Soak::look(base::Instant now) {
  looks_.push_back({.memory_bytes = static_cast<double>(memory_of(plan_.pooler_pids)),
                    .descriptors = static_cast<double>(descriptors_of(plan_.pooler_pids))});
  if (looks_.size() > kLaps) return sandwich_.dismiss(now);
  begin_lap(now);
}

void Soak::begin_lap(base::Instant now) {
  has_to_rest_ = false;
  busy_ = plan_.client_count;
  for (std::size_t i = 0; i < plan_.client_count; ++i) work_on(i, now);
  sandwich_.do_at(now + lap_time(), [this](base::Instant) { has_to_rest_ = true; });
}

base::Duration Soak::lap_time() const { return plan_.measured / static_cast<int>(kLaps); }

// Least squares, in bytes per second of work.
double Soak::memory_slope() const {
  const auto first = static_cast<double>(kLapsOfFirstHalf);
  const double middle = (first + static_cast<double>(kLaps)) / 2;
  double above = 0;
  double below = 0;
  for (std::size_t i = kLapsOfFirstHalf; i <= kLaps; ++i) {
    const double lap = static_cast<double>(i) - middle;
    above += lap * looks_[i].memory_bytes;
    below += lap * lap;
  }
  return above / below / std::chrono::duration<double>(lap_time()).count();
}

Figures Soak::result() const {
  double memory_max = 0;
  for (const Look& look : looks_) memory_max = std::max(memory_max, look.memory_bytes);
  const double more = looks_.back().descriptors - looks_.front().descriptors;
  return {{"transactions", static_cast<double>(transactions_)},
          {"logins", static_cast<double>(logins_)},
          {"memory_bytes_first", looks_.front().memory_bytes},
          {"memory_bytes_last", looks_.back().memory_bytes},
          {"memory_bytes_max", memory_max},
          {"memory_bytes_per_second", std::max(memory_slope(), 0.0)},
          {"descriptors", looks_.back().descriptors},
          {"descriptors_more", std::max(more, 0.0)}};
}

}  // namespace pgweir::bench

#include "scenarios/idle.h"

#include <algorithm>

#include "sandwich.h"

namespace pgweir::bench {

namespace {

// Few enough for any pooler's queue of connections that it has not accepted yet.
constexpr std::size_t kConnectsAtATime = 50;

// How much of its workload a client does before it rests.
std::uint64_t turns_of(Kind kind) {
  if (kind == Kind::Simple) return 0;
  return kind == Kind::Prepared ? kStatementCount : 1;
}

}  // namespace

void Idle::begin(base::Instant) {
  memory_before_ = memory_of(plan_.pooler_pids);
  for (std::size_t i = 0; i < kConnectsAtATime; ++i) connect_next();
}

void Idle::connect_next() {
  if (connected_ == plan_.client_count) return;
  ++connected_;
  sandwich_.connect(sandwich_.add_client(plan_.workload));
}

void Idle::handle_logged_in(std::size_t client, base::Instant now) { handle_answered(client, now); }

void Idle::handle_answered(std::size_t client, base::Instant now) {
  if (sandwich_.client(client).turn_count() < turns_of(plan_.workload.kind)) {
    return sandwich_.ask(client, now);
  }
  connect_next();
  if (++resting_ == plan_.client_count) begin_rest(now);
}

void Idle::begin_rest(base::Instant now) {
  sandwich_.do_at(now + plan_.warm_up,
                  [this](base::Instant) { memory_after_ = memory_of(plan_.pooler_pids); });
  measure(watch_, now);
}

Figures Idle::result() const {
  const auto grown = static_cast<double>(memory_after_) - static_cast<double>(memory_before_);
  return {{"bytes_per_client", std::max(grown, 0.0) / static_cast<double>(plan_.client_count)},
          {"memory_bytes", static_cast<double>(memory_after_)},
          {"seconds", watch_.seconds()},
          {"cpu_ms_per_second", watch_.cpu_seconds() * 1e3 / watch_.seconds()},
          {"wakeups_per_second", watch_.wakeups() / watch_.seconds()}};
}

}  // namespace pgweir::bench

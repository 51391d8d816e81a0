#include "scenarios/storm.h"

#include "sandwich.h"

namespace pgweir::bench {

namespace {

constexpr std::size_t kEstablished = 100;
constexpr base::Duration kBetweenRequests = std::chrono::microseconds(500);  // Of all together.
// Few enough that our own requests are not late because of them.
constexpr std::size_t kConnectsAtATime = 16;

}  // namespace

Storm::Storm(const Plan& plan, Sandwich& sandwich)
    : Scenario(plan, sandwich), loop_(sandwich, kEstablished, kBetweenRequests) {}

void Storm::begin(base::Instant) {
  for (std::size_t i = 0; i < kEstablished; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void Storm::handle_logged_in(std::size_t client, base::Instant now) {
  if (client >= kEstablished) {
    ++arrived_;
    return count_newcomer(now);
  }
  if (++established_ == kEstablished) begin_asking(now);
}

void Storm::begin_asking(base::Instant now) {
  phase_ = Phase::WarmingUp;
  loop_.begin(now);
  sandwich_.do_at(now + plan_.warm_up, [this](base::Instant) { phase_ = Phase::Calm; });
  sandwich_.do_at(now + plan_.warm_up + plan_.measured,
                  [this](base::Instant then) { begin_storm(then); });
}

void Storm::handle_answered(std::size_t client, base::Instant now) {
  const base::Instant due = loop_.take_answer(client, now);
  const bool is_of_storm = phase_ >= Phase::Storming && due >= storm_since_;
  if (phase_ >= Phase::Calm) (is_of_storm ? storm_ : calm_).add(now - due);
  leave_if_answered(now);
}

void Storm::begin_storm(base::Instant now) {
  phase_ = Phase::Storming;
  storm_since_ = now;
  loop_.begin_lag(now);
  connect_some(now);
}

void Storm::connect_some(base::Instant now) {
  for (std::size_t i = 0; i < kConnectsAtATime && newcomers_ < plan_.client_count; ++i) {
    ++newcomers_;
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
  if (newcomers_ == plan_.client_count) return;
  sandwich_.do_at(now, [this](base::Instant later) { connect_some(later); });
}

void Storm::count_newcomer(base::Instant now) {
  if (arrived_ + refused_ < plan_.client_count) return;
  phase_ = Phase::Past;
  loop_.end();
  storm_time_ = now - storm_since_;
  leave_if_answered(now);
}

void Storm::handle_lost(std::size_t client, std::string_view why, base::Instant now) {
  if (client < kEstablished) return Scenario::handle_lost(client, why, now);
  ++refused_;
  count_newcomer(now);
}

void Storm::leave_if_answered(base::Instant now) {
  if (phase_ == Phase::Past && loop_.is_answered()) sandwich_.dismiss(now);
}

Figures Storm::result() const {
  Figures figures{{"last_login_ms", us_of(storm_time_) / 1e3},
                  {"logged_in", static_cast<double>(arrived_)},
                  {"refused", static_cast<double>(refused_)}};
  calm_.report("calm", figures);
  storm_.report("storm", figures);
  loop_.lag().report("lag", figures);
  return figures;
}

}  // namespace pgweir::bench

#include "scenarios/storm.h"

#include "sandwich.h"

namespace pgweir::bench {

namespace {

constexpr std::size_t kEstablished = 100;
constexpr base::Duration kBetweenRequests = std::chrono::microseconds(500);  // Of all together.
constexpr base::Duration kLookAgain = std::chrono::milliseconds(1);

}  // namespace

Storm::Storm(const Plan& plan, Sandwich& sandwich)
    : Scenario(plan, sandwich), loop_(sandwich, kEstablished, kBetweenRequests), crowd_(plan) {}

void Storm::begin(base::Instant) {
  for (std::size_t i = 0; i < kEstablished; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void Storm::handle_logged_in(std::size_t, base::Instant now) {
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
}

void Storm::begin_storm(base::Instant now) {
  phase_ = Phase::Storming;
  storm_since_ = now;
  loop_.begin_lag(now);
  crowd_.set_out();
  look_at_crowd(now);
}

void Storm::look_at_crowd(base::Instant now) {
  if (!crowd_.has_settled()) {
    return sandwich_.do_at(now + kLookAgain, [this](base::Instant later) { look_at_crowd(later); });
  }
  phase_ = Phase::Past;
  loop_.end();
  crowd_.send_home();
  leave_after_crowd(now);
}

void Storm::leave_after_crowd(base::Instant now) {
  if (crowd_.has_gone() && crowd_.mistake()) return sandwich_.fail(*crowd_.mistake());
  if (crowd_.has_gone() && loop_.is_answered()) return sandwich_.dismiss(now);
  sandwich_.do_at(now + kLookAgain, [this](base::Instant later) { leave_after_crowd(later); });
}

Figures Storm::result() const {
  Figures figures{{"last_login_ms", us_of(crowd_.settled_at() - storm_since_) / 1e3},
                  {"logged_in", static_cast<double>(crowd_.let_in())},
                  {"refused", static_cast<double>(crowd_.turned_away())}};
  calm_.report("calm", figures);
  storm_.report("storm", figures);
  loop_.lag().report("lag", figures);
  return figures;
}

}  // namespace pgweir::bench

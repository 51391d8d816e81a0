#include "scenarios/at_rate.h"

#include "sandwich.h"

namespace pgweir::bench {

namespace {

base::Duration interval_of(double requests_per_second) {
  return std::chrono::duration_cast<base::Duration>(
      std::chrono::duration<double>(1 / requests_per_second));
}

}  // namespace

AtRate::AtRate(const Plan& plan, Sandwich& sandwich)
    : Scenario(plan, sandwich),
      loop_(sandwich, plan.client_count, interval_of(plan.requests_per_second)),
      watch_(plan.pooler_pids),
      tally_(plan.client_count) {}

void AtRate::begin(base::Instant) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void AtRate::handle_logged_in(std::size_t, base::Instant now) {
  if (++logged_in_ == plan_.client_count) begin_work(now);
}

void AtRate::begin_work(base::Instant now) {
  loop_.begin(now);
  sandwich_.do_at(now + plan_.warm_up, [this](base::Instant then) {
    watch_.begin(then);
    loop_.begin_lag(then);
    sandwich_.do_at(then + plan_.measured, [this](base::Instant end) {
      watch_.end(end);
      loop_.end();
      sandwich_.dismiss(end);
    });
  });
}

void AtRate::handle_answered(std::size_t client, base::Instant now) {
  const base::Instant due = loop_.take_answer(client, now);
  if (watch_.is_running()) tally_.add_turn(client, 1, now - due);
}

Figures AtRate::result() const {
  Figures figures = tally_.report(watch_);
  loop_.lag().report("lag", figures);
  return figures;
}

}  // namespace pgweir::bench

#include "scenarios/steady.h"

#include "sandwich.h"

namespace pgweir::bench {

Steady::Steady(const Plan& plan, Sandwich& sandwich)
    : Scenario(plan, sandwich), watch_(plan.pooler_pids), tally_(plan.client_count) {}

void Steady::begin(base::Instant) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void Steady::handle_logged_in(std::size_t, base::Instant now) {
  if (++logged_in_ == plan_.client_count) begin_work(now);
}

void Steady::begin_work(base::Instant now) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) sandwich_.ask(i, now);
  measure(watch_, now);
}

void Steady::handle_answered(std::size_t client, base::Instant now) {
  if (watch_.is_running()) {
    const PlayedClient& played = sandwich_.client(client);
    tally_.add_turn(client, played.transaction_count(), now - played.began_at());
  }
  sandwich_.ask(client, now);
}

void Steady::handle_server_gap(base::Duration gap) {
  if (watch_.is_running()) tally_.add_server_gap(gap);
}

}  // namespace pgweir::bench

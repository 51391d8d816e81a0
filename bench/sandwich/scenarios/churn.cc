#include "scenarios/churn.h"

#include <algorithm>

#include "sandwich.h"

namespace pgweir::bench {

Churn::Churn(const Plan& plan, Sandwich& sandwich)
    : Scenario(plan, sandwich), connected_at_(plan.client_count), watch_(plan.pooler_pids) {}

void Churn::begin(base::Instant now) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    connect(sandwich_.add_client(plan_.workload), now);
  }
  measure(watch_, now);
}

void Churn::connect(std::size_t client, base::Instant now) {
  connected_at_[client] = now;
  sandwich_.connect(client);
}

void Churn::handle_logged_in(std::size_t client, base::Instant now) { sandwich_.ask(client, now); }

void Churn::handle_answered(std::size_t client, base::Instant now) {
  if (watch_.is_running()) {
    ++cycles_;
    latencies_.add(now - connected_at_[client]);
  }
  sandwich_.leave(client, now);
  connect(client, now);
}

Figures Churn::result() const {
  const auto count = static_cast<double>(cycles_);
  Figures figures{{"logins", count},
                  {"seconds", watch_.seconds()},
                  {"logins_per_second", count / watch_.seconds()},
                  {"logins_per_cpu_second", count / std::max(watch_.cpu_seconds(), 1e-9)},
                  {"cpu_us_per_login", watch_.cpu_seconds() * 1e6 / std::max(count, 1.0)},
                  {"cpu_share", watch_.cpu_seconds() / watch_.seconds()}};
  latencies_.report("cycle", figures);
  return figures;
}

}  // namespace pgweir::bench

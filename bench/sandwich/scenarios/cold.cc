#include "scenarios/cold.h"

#include "sandwich.h"

namespace pgweir::bench {

void Cold::begin(base::Instant) {
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void Cold::handle_logged_in(std::size_t, base::Instant now) {
  if (++logged_in_ < plan_.client_count) return;
  asked_at_ = now;
  for (std::size_t i = 0; i < plan_.client_count; ++i) sandwich_.ask(i, now);
  sandwich_.do_at(now + plan_.patience, [this](base::Instant) {
    if (is_complete()) return;
    sandwich_.fail("only " + std::to_string(servers_.size()) + " servers ever served");
  });
}

void Cold::handle_request_served(std::uint32_t server, base::Instant now) {
  if (is_complete()) return;
  servers_.insert(server);
  if (!is_complete()) return;
  until_all_serve_ = now - asked_at_;
  sandwich_.dismiss(now);
}

void Cold::handle_answered(std::size_t client, base::Instant now) {
  latencies_.add(now - sandwich_.client(client).began_at());
  sandwich_.ask(client, now);
}

Figures Cold::result() const {
  Figures figures{{"all_serve_ms", us_of(until_all_serve_) / 1e3},
                  {"servers", static_cast<double>(servers_.size())}};
  latencies_.report("latency", figures);
  return figures;
}

}  // namespace pgweir::bench

#include "scenarios/desertion.h"

#include "sandwich.h"

namespace pgweir::bench {

namespace {

constexpr std::size_t kOthers = 20;
// Long enough that every server has begun with its second request, short of serving many.
constexpr int kServicesBefore = 2;

}  // namespace

void Desertion::begin(base::Instant) {
  for (std::size_t i = 0; i < plan_.client_count + kOthers; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void Desertion::handle_logged_in(std::size_t, base::Instant now) {
  if (++logged_in_ < plan_.client_count + kOthers) return;
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    waiting_.insert(i);
    sandwich_.ask(i, now);
  }
  sandwich_.do_at(now + kServicesBefore * plan_.service_time + plan_.service_time / 2,
                  [this](base::Instant then) { desert(then); });
}

void Desertion::desert(base::Instant now) {
  for (const std::size_t client : waiting_) sandwich_.cut_off(client, now);
  has_deserted_ = true;
  for (std::size_t i = 0; i < kOthers; ++i) sandwich_.ask(plan_.client_count + i, now);
}

void Desertion::handle_request_served(std::uint32_t, base::Instant) {
  if (has_deserted_) ++served_since_;
}

void Desertion::handle_answered(std::size_t client, base::Instant now) {
  if (is_deserter(client)) {
    waiting_.erase(client);
    return;
  }
  latencies_.add(now - sandwich_.client(client).began_at());
  if (++answered_ == kOthers) sandwich_.dismiss(now);
}

Figures Desertion::result() const {
  Figures figures{{"deserters", static_cast<double>(waiting_.size())},
                  {"wasted_requests", static_cast<double>(served_since_ - answered_)}};
  latencies_.report("latency", figures);
  return figures;
}

}  // namespace pgweir::bench

#include "scenarios/laps.h"

#include <charconv>

#include "sandwich.h"

namespace pgweir::bench {

void Laps::begin(base::Instant) {
  // Before the clients, so that it is there when they have logged in.
  sandwich_.call_conductor(*plan_.conductor);
  for (std::size_t i = 0; i < plan_.client_count; ++i) {
    sandwich_.connect(sandwich_.add_client(plan_.workload));
  }
}

void Laps::handle_logged_in(std::size_t, base::Instant) {
  if (++logged_in_ == plan_.client_count) report();
}

void Laps::handle_order(std::string_view part, base::Instant now) {
  if (logged_in_ < plan_.client_count || is_under_way()) {
    return sandwich_.fail("an order came too soon");
  }
  order_ += part;
  if (!order_.ends_with('\n')) return;
  begun_ = answered_ = due_ = 0;
  std::from_chars(order_.data(), order_.data() + order_.size(), due_);
  order_.clear();
  for (std::size_t i = 0; i < plan_.client_count && wants_turn(); ++i) begin_turn(i, now);
}

void Laps::begin_turn(std::size_t client, base::Instant now) {
  sandwich_.ask(client, now);
  begun_ += sandwich_.client(client).transaction_count();
}

void Laps::handle_answered(std::size_t client, base::Instant now) {
  answered_ += sandwich_.client(client).transaction_count();
  if (wants_turn()) return begin_turn(client, now);
  if (!is_under_way()) report();
}

void Laps::report() { sandwich_.tell_conductor(std::to_string(answered_) + "\n"); }

void Laps::handle_conductor_gone(base::Instant now) {
  if (is_under_way()) return sandwich_.fail("the conductor has gone");
  sandwich_.dismiss(now);
}

}  // namespace pgweir::bench

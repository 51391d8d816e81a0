// Laps: clients that work only when a conductor says so, for callers that count from outside what
// the pooler does. A lap is so many transactions; they are made by whichever clients are free, and
// then everybody rests, so that nothing is under way when a lap begins or is over. It measures
// nothing itself.
// Source of truth for the conversation: each line is a decimal number. The sandwich says 0 when all
// clients have logged in; the conductor says how many transactions, the sandwich how many it made.
// The end of the connection ends the sandwich.
#pragma once

#include <cstdint>
#include <string>

#include "scenario.h"

namespace pgweir::bench {

class Laps final : public Scenario {
 public:
  using Scenario::Scenario;

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  void handle_order(std::string_view part, base::Instant now) override;
  void handle_conductor_gone(base::Instant now) override;
  Figures result() const override { return {}; }

 private:
  bool wants_turn() const { return begun_ < due_; }
  bool is_under_way() const { return answered_ < begun_; }
  void begin_turn(std::size_t client, base::Instant now);
  void report();

  std::size_t logged_in_ = 0;
  std::string order_;  // As far as it has come.
  // Transactions of the lap. A turn of several may go beyond what is due.
  std::uint64_t due_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace pgweir::bench

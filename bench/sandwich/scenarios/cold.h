// Cold: all clients have logged in to a pooler that has just been started and now ask at once, and
// go on asking. How long it takes until all the servers that are allowed serve them; W9.
#pragma once

#include <set>

#include "latencies.h"
#include "scenario.h"

namespace pgweir::bench {

class Cold final : public Scenario {
 public:
  Cold(const Plan& plan, Sandwich& sandwich) : Scenario(plan, sandwich) {}

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  void handle_request_served(std::uint32_t server, base::Instant now) override;
  Figures result() const override;

 private:
  bool is_complete() const { return servers_.size() == plan_.server_count; }

  std::size_t logged_in_ = 0;
  base::Instant asked_at_;
  base::Duration until_all_serve_{};
  std::set<std::uint32_t> servers_;  // That serve.
  Latencies latencies_;
};

}  // namespace pgweir::bench

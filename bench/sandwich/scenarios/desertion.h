// Desertion: far more clients ask at once than there are servers, and soon all that still wait hang
// up without a word. How long those who come then have to wait, and how many requests of nobody the
// servers have to answer; W15.
#pragma once

#include <set>

#include "latencies.h"
#include "scenario.h"

namespace pgweir::bench {

class Desertion final : public Scenario {
 public:
  Desertion(const Plan& plan, Sandwich& sandwich) : Scenario(plan, sandwich) {}

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  void handle_request_served(std::uint32_t server, base::Instant now) override;
  Figures result() const override;

 private:
  bool is_deserter(std::size_t client) const { return client < plan_.client_count; }
  void desert(base::Instant now);
  void ask_anew(base::Instant now);

  std::size_t logged_in_ = 0;
  std::size_t served_since_ = 0;  // Requests that servers have taken up since then …
  std::size_t answered_ = 0;      // … and those of them that somebody waited for.
  bool has_deserted_ = false;
  std::set<std::size_t> waiting_;  // Deserters that lack their answer.
  Latencies latencies_;            // Of the others.
};

}  // namespace pgweir::bench

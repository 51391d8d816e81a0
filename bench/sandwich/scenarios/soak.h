// Soak: a third of the clients asks plainly, a third by prepared statements, and a third connects,
// asks once and leaves, over and over. Now and then all come to rest, and what the pooler then has
// of memory and descriptors is looked at: while the same clients rest, more is a leak. W16.
#pragma once

#include <vector>

#include "scenario.h"

namespace pgweir::bench {

class Soak final : public Scenario {
 public:
  using Scenario::Scenario;

  void begin(base::Instant now) override;
  void handle_logged_in(std::size_t client, base::Instant now) override;
  void handle_answered(std::size_t client, base::Instant now) override;
  Figures result() const override;

 private:
  // While all rest.
  struct Look {
    double memory_bytes;
    double descriptors;
  };

  bool is_leaver(std::size_t client) const;
  void work_on(std::size_t client, base::Instant now);
  void begin_lap(base::Instant now);
  void look(base::Instant now);
  base::Duration lap_time() const;
  // Of the later half, so that what grows once and then stays is none.
  double memory_slope() const;

  bool has_to_rest_ = false;
  std::size_t busy_ = 0;
  std::uint64_t transactions_ = 0;
  std::uint64_t logins_ = 0;
  std::vector<Look> looks_;
};

}  // namespace pgweir::bench

// Arrivals: who of a crowd has asked for something and since when, until a server begins with it;
// so that it shows when somebody is served who came later. It knows nothing of pgweir.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"

namespace pgweir::sim {

class Arrivals {
 public:
  // slack: by so much one may come later and be served first.
  explicit Arrivals(base::Duration slack) : slack_(slack) {}

  void note_asked(std::uint32_t client, const std::string& pool, base::Instant now);
  // Fails the simulation if somebody of the same pool has waited for longer, beyond the slack.
  void note_begun(std::uint32_t client);
  // By how much the worst who was served first came later than one who still waited.
  base::Duration worst() const { return worst_; }

 private:
  struct Asked {
    std::string pool;
    base::Instant since;
  };
  const base::Duration slack_;
  std::map<std::uint32_t, Asked> waiting_;
  base::Duration worst_{};
};

}  // namespace pgweir::sim

// Ledger: which marked statements have been executed, over all simulated servers. None may be
// executed twice: pgweir repeats a statement only if it never reached a server.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>

#include "sim/sql.h"
#include "sim/world.h"

namespace pgweir::sim {

class Ledger {
 public:
  void note_executed(Mark mark) {
    const std::uint64_t key = (std::uint64_t{mark.client} << 32U) | mark.sequence;
    if (!executed_.insert(key).second) fail("statement " + to_text(mark) + " was executed twice");
  }
  bool was_executed(Mark mark) const {
    return executed_.contains((std::uint64_t{mark.client} << 32U) | mark.sequence);
  }
  std::size_t count() const { return executed_.size(); }

  // A server begins with the statement.
  std::function<void(Mark)> on_begun;

 private:
  std::unordered_set<std::uint64_t> executed_;
};

}  // namespace pgweir::sim

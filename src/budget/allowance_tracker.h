// AllowanceTracker: how the limit follows what discovery finds, and when to look again. No clock
// and no connection: facts and a time go in. Each limit goes down at once and up slowly
// (rising_limit.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "budget/allowance.h"
#include "budget/limits.h"
#include "budget/rising_limit.h"

namespace pgweir::budget {

class AllowanceTracker {
 public:
  explicit AllowanceTracker(Options options) : options_(options) {}

  // The set limit until facts arrive; pool::kUnlimited when none is set.
  std::uint32_t limit() const { return server_.get().value_or(configured()); }
  // The same, and those of roles and databases that have one.
  Limits limits() const;
  // When to look again; at once before the first look.
  base::Instant next_look() const { return next_look_; }

  // A look succeeded. Facts with trouble (Allowance::trouble) raise nothing: the limit found before
  // holds, or the configured one.
  void handle_facts(const ServerFacts& facts, base::Instant now);
  // A look failed, or its answer could not be read: the limit stays.
  void handle_look_failed(base::Instant now) { look_again(now); }
  // The server refused a login with 53300: somebody took slots that we counted on.
  void handle_refused(base::Instant now) { next_look_ = now; }

 private:
  std::uint32_t configured() const {
    return options_.connection_limit > 0 ? options_.connection_limit : pool::kUnlimited;
  }
  using Rising = std::map<std::string, RisingLimit, std::less<>>;
  using Named = decltype(Limits::roles);

  static void follow(Rising& rising, const Named& found, base::Instant now);
  bool is_tight(const ServerFacts& facts, const Allowance& allowance) const;
  void look_again(base::Instant now);

  Options options_;
  bool is_tight_ = false;  // So the latest facts say.
  RisingLimit server_;
  Rising roles_;      // Only those that have a limit.
  Rising databases_;  // As well.
  base::Instant next_look_ = base::Instant::min();
};

}  // namespace pgweir::budget

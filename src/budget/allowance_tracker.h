// AllowanceTracker: how the limit follows what discovery finds, and when to look again. No clock
// and no connection: facts and a time go in.
//
// The rule: down at once, up slowly. A lower allowance holds from the look that shows it. A higher
// one must have been there at every look of the last 10 s; then each look closes a quarter of the
// gap to the lowest of them, at least 1. Whoever gave up slots may want them back, and a server
// that restarts shows nobody for a moment.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "budget/allowance.h"

namespace pgweir::budget {

class AllowanceTracker {
 public:
  explicit AllowanceTracker(Options options) : options_(options) {}

  // The set limit until facts arrive; pool::kUnlimited when none is set.
  std::uint32_t limit() const { return limit_.value_or(configured()); }
  // The latest look's, from which limit() may still differ while it rises. nullopt before the
  // first.
  const std::optional<Allowance>& latest() const { return latest_; }
  // When to look again; at once before the first look.
  base::Instant next_look() const { return next_look_; }

  // A look succeeded. Facts with trouble (Allowance::trouble) raise nothing: the limit found before
  // holds, or the configured one.
  void handle_facts(const ServerFacts& facts, base::Instant now);
  // A look failed, or its answer could not be read: the limit stays.
  void handle_look_failed(base::Instant now);
  // The server refused a login with 53300: somebody took slots that we counted on.
  void handle_refused(base::Instant now) { next_look_ = now; }
  // New options hold at once, upwards too; the next look is due.
  void set_options(const Options& options, base::Instant now);

 private:
  std::uint32_t configured() const {
    return options_.connection_limit > 0 ? options_.connection_limit : pool::kUnlimited;
  }
  void follow(std::uint32_t found, base::Instant now);
  base::Duration interval() const;

  Options options_;
  std::optional<ServerFacts> facts_;
  std::optional<Allowance> latest_;  // Of facts_.
  std::optional<std::uint32_t> limit_;
  std::optional<base::Instant> higher_since_;  // Since when every look found more than the limit.
  std::uint32_t lowest_higher_ = 0;            // The least of what they found.
  base::Instant next_look_ = base::Instant::min();
};

}  // namespace pgweir::budget

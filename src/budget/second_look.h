// SecondLook: which of the connections that a look counted as others' are others'. What we open
// between the question and the moment when we know its pid looks like a stranger's. So a count is
// believed as far as two looks in a row have found it, and where it has risen the second follows
// soon; what lies above counts as ours: taken it is, whoever has it.
//
// Pure: facts go in and come out. When to look is the caller's to arrange.
#pragma once

#include <optional>

#include "base/time.h"
#include "budget/allowance.h"

namespace pgweir::budget {

// Far longer than a server's greeting takes from the socket to the control thread.
inline constexpr base::Duration kSecondLookAfter = std::chrono::milliseconds(200);

class SecondLook {
 public:
  // What a look found, as far as it is believed; the first one whole, for want of a second.
  ServerFacts take(const ServerFacts& found);
  // There is doubt: look again kSecondLookAfter later.
  bool is_wanted() const { return is_wanted_; }
  // What was taken last puts right the first look, in which nobody could tell ours from others'.
  bool corrects_first() const { return corrects_first_; }

 private:
  std::optional<ServerFacts> last_;  // As found.
  bool is_wanted_ = false;
  bool is_first_ = true;
  bool corrects_first_ = false;
};

}  // namespace pgweir::budget

// Which state a client has on its server that cannot be repeated on another: while the set is not
// empty the client keeps its server. A reason leaves the set by a statement that certainly ends it,
// once the transaction of that statement has committed. Of channels, cursors, prepared statements
// and parameters the names are known, so that what ends the last of them ends the reason. What may
// have ended leaves the set when the server has said that nothing is left. Whatever pinned a
// server, it is reset (see needs_close()) before it is lent to another client.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "session/statement_effect.h"

namespace pgweir::session {

class PinSet {
 public:
  // Counts at once and stays, even if the transaction is rolled back. name: what may end it alone;
  // empty: nothing does.
  void add(PinReason reason, const std::string& name = {});

  // A statement with this effect has completed without error.
  void apply(const StatementEffect& effect);

  // A transaction ended, also the implicit one of a Query outside a block (ReadyForQuery says
  // idle), and each one ended by AND CHAIN. committed: false if the answer was ROLLBACK, even to
  // COMMIT, or an error ended it.
  void handle_transaction_end(bool committed);

  // Whether all of it may have ended, and the server can tell: then it is to be asked.
  bool is_in_doubt() const;
  // SQL that gives one row if nothing is left of what is in the set now, and else none. There is no
  // doubt any more, until the next. REQUIRES: is_in_doubt().
  std::string take_question();
  // The answer was that row. What was added meanwhile stays.
  void settle_doubt();

  bool empty() const { return reasons() == 0; }
  bool contains(PinReason reason) const;
  std::optional<PinReason> first_reason() const;

  // True if DISCARD ALL does not prove the server clean: it must be closed when the client leaves
  // it.
  bool needs_close() const;

 private:
  using Mask = std::uint32_t;
  struct Named {
    PinReason reason;
    std::string name;

    friend bool operator==(const Named&, const Named&) = default;
  };

  struct State {
    Mask reasons = 0;
    Mask nameless = 0;                // Those of them that no name ends.
    std::vector<Named> named;         // What the others are about.
    Mask undone = 0;                  // By the current transaction …
    std::vector<Named> undone_named;  // … and as far as one name goes.
    Mask added = 0;                   // Since the last transaction ended.
    Mask asked = 0;                   // What the question is about, and has not been added again.
    Mask in_doubt = 0;                // The state may be gone, once the transaction has ended.

    friend bool operator==(const State&, const State&) = default;
  };

  State& state();
  Mask reasons() const { return state_ == nullptr ? 0 : state_->reasons; }
  void undo(const Named& named);
  void undo_all(Mask which);
  void remove(Mask which);
  // Gives the memory back once there is nothing to remember.
  void shrink();

  std::unique_ptr<State> state_;  // None as long as nothing has happened, which is mostly for ever.
};

}  // namespace pgweir::session

// ParameterTracker: the session parameters of one client, transaction by transaction: what SET,
// RESET, savepoints, COMMIT and ROLLBACK have made of them. It sees what was executed, never text.
// SET LOCAL does not come here: it is gone at the end of the transaction by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "session/parameters.h"

namespace pgweir::session {

class ParameterTracker {
 public:
  // Borrows the table. startup: what the client brought; RESET leads back to it.
  ParameterTracker(ParameterTable& table, ParameterSetId startup);
  ParameterTracker(const ParameterTracker&) = delete;
  ParameterTracker& operator=(const ParameterTracker&) = delete;
  ~ParameterTracker();

  // A statement of the open transaction did this.
  void set(std::string_view name, ParameterValue value);
  void reset(std::string_view name);
  void reset_all();
  void savepoint(std::string_view name);
  void rollback_to(std::string_view name);
  void release(std::string_view name);

  // The server reported this value outside of a transaction: it is the truth, whatever was set.
  void handle_reported(std::string_view name, std::string_view value);

  bool has_pending() const { return !pending_.empty(); }
  // The transaction ended; what it changed holds or does not.
  void handle_transaction_end(bool is_committed);

  // Owned by the tracker; changes only in the calls above.
  ParameterSetId committed() const { return committed_; }
  ParameterSetId startup() const { return startup_; }

 private:
  struct Change {
    enum class Kind : std::uint8_t { Set, Reset, ResetAll, Savepoint };
    Kind kind = Kind::Set;
    std::string name;
    ParameterValue value;
  };
  void replace(ParameterSetId next);

  ParameterTable& table_;
  ParameterSetId startup_;
  ParameterSetId committed_;
  std::vector<Change> pending_;  // In the order of execution.
};

}  // namespace pgweir::session

// ParameterTracker: the session parameters of one client, transaction by transaction: what SET,
// RESET, savepoints, COMMIT and ROLLBACK have made of them. It sees what was executed, never text.
// SET LOCAL does not come here: it is gone at the end of the transaction by itself.
#pragma once

#include <memory>
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

  bool has_pending() const { return memory_ != nullptr && !memory_->pending.empty(); }
  // Whether the open transaction has led back to what the client brought at startup, while the
  // server went to its own default.
  bool has_strayed() const { return memory_ != nullptr && memory_->has_strayed; }
  // What the server is to be told then, in the same transaction; from now on it counts as set
  // there.
  ParameterSet take_strayed();
  // The transaction ended; what it changed holds or does not. on_server: what its server has, which
  // changes alike, only that there RESET leads to the server's own default.
  void handle_transaction_end(bool is_committed, ParameterSetId& on_server);

  // The server reported this value outside of a transaction: it is the truth, whatever was set,
  // unless a RESET has led the server to a default that is not this client's.
  void handle_reported(std::string_view name, std::string_view value, ParameterSetId& on_server);
  // All that the transactions up to now have changed was reported.
  void settle();

  // What the client has to believe when its server reports this parameter after a RESET: the value
  // that it brought at startup. nullptr: what the server reports.
  const ParameterValue* restored(std::string_view name) const;

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
  struct Memory {
    std::vector<Change> pending;        // In the order of execution.
    bool has_strayed = false;           // Or may have.
    std::vector<std::string> restored;  // Led back to their startup values since settle().
  };
  Memory& memory();
  void apply(Change change, ParameterSetId& on_server);
  // In the open transaction; nullptr: none. It may be that of all parameters.
  const Change* last_change_of(std::string_view key) const;
  void restore(std::string_view name);
  void restore_all();
  bool is_restored(std::string_view name) const;
  // Points `held` at `next`, whose reference it takes over.
  void replace(ParameterSetId& held, ParameterSetId next);

  ParameterTable& table_;
  ParameterSetId startup_;
  ParameterSetId committed_;
  std::unique_ptr<Memory> memory_;  // From a change on until it is settled.
};

}  // namespace pgweir::session

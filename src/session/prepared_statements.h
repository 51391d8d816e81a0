// ClientStatements and ServerStatements: which prepared statements a client believes to have, under
// which names, and which of them a server really has. Both hold references into a StatementTable
// and send nothing; the proxy makes a server have what a Bind needs.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/list.h"
#include "base/result.h"
#include "session/name_map.h"
#include "session/statement_table.h"

namespace pgweir::session {

class ClientStatements {
 public:
  // Borrows the table.
  explicit ClientStatements(StatementTable& table) : table_(table) {}
  ClientStatements(const ClientStatements&) = delete;
  ClientStatements& operator=(const ClientStatements&) = delete;
  ~ClientStatements();

  // The unnamed statement has the empty name. None: the client has no such statement.
  StatementId find(std::string_view name) const;
  // tag: of the request, rising; for undo and commit. Takes over the caller's reference to `id`. A
  // name that is in use is replaced (PostgreSQL allows it for the unnamed one; the caller asks
  // first). Errors: LimitReached when the client has too many.
  base::Status define(std::string_view name, StatementId id, std::uint32_t tag);
  void remove(std::string_view name, std::uint32_t tag);
  // Known to have happened, so not undone: DEALLOCATE ALL and DISCARD ALL, which leave the unnamed
  // statement (DropAllPreparedStatements) …
  void clear();
  // … the name stands for another statement from now on, or for none. Takes over the caller's
  // reference to `id`.
  void rebind(std::string_view name, StatementId id);

  // The request `tag` did not happen: it failed, or was skipped after an error. What was asked for
  // behind it, in a later batch, stands.
  void undo(std::uint32_t tag);
  // Destroyed by the request `tag`, though it failed. What was asked for behind it stands, too.
  void forget_unnamed(std::uint32_t tag);
  // All requests up to `tag` did happen, as far as they were not undone.
  void commit(std::uint32_t tag);
  // Whether it depends on requests up to `tag`, which may still fail, what the name stands for now;
  // or, for who wants to define it, whether it is in use. Not asked of the unnamed statement, which
  // is gone when its successor fails.
  bool is_in_doubt(std::string_view name, std::uint32_t tag, bool is_to_be_defined) const;
  // Which name a statement has, to be shown; empty if none.
  std::string_view name_of(StatementId id) const;

 private:
  struct Undo {
    std::uint32_t tag = 0;
    std::string name;
    StatementId before = StatementId::None;  // Retained by the log.
  };
  void put(std::string_view name, StatementId id);
  std::size_t bytes_of(StatementId id) const;
  void revert(std::size_t index);

  StatementTable& table_;
  StatementId unnamed_ = StatementId::None;
  NameMap named_;
  std::size_t named_bytes_ = 0;  // Of their texts.
  std::vector<Undo> log_;        // By tag.
};

class ServerStatements {
 public:
  // Borrows the table, and refers to every statement that it contains.
  explicit ServerStatements(StatementTable& table) : table_(table) {}
  ServerStatements(const ServerStatements&) = delete;
  ServerStatements& operator=(const ServerStatements&) = delete;
  ~ServerStatements();

  bool contains(StatementId id) const { return slots_.find(id) != slots_.end(); }
  // What the server calls it; what it would, if it has no such statement.
  std::string_view name_of(StatementId id) const;
  // visit(id), least recently used first.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot* slot = recency_.front(); slot != nullptr; slot = recency_.next(*slot))
      visit(slot->id);
  }
  std::size_t size() const { return slots_.size(); }
  // The statement is being used by what is sent now: it becomes the most recent one, and is not
  // evicted before release_pins(). REQUIRES: contains(id).
  void use(StatementId id);
  // A Parse of it is being sent, as name_of(id) from now on: nothing else there has that name. As
  // use().
  void insert(StatementId id);
  // The server has it, under this name. As use().
  void adopt(StatementId id, std::string_view name);
  // The server has a statement of this text that is not to be used again; its name stays taken
  // until it is closed as surplus.
  void keep_unused(std::string_view query, base::Bytes types, std::string_view name);
  // It turned out not to be there (the Parse failed), or was closed.
  void remove(StatementId id);
  // All but the unnamed one.
  void clear();

  // What the server's unnamed statement is, if it is one of ours.
  StatementId unnamed() const { return unnamed_; }
  void set_unnamed(StatementId id);

  // The statement to be closed next because there are more than `count_max`, taken out of the set
  // and referred to until it is known what came of the Close; None if there is none that may be.
  StatementId take_surplus(std::size_t count_max);
  // The Close was answered.
  void confirm_closed(StatementId id);
  // The server has skipped the Close: the statement is still there.
  void restore(StatementId id);
  // All that was sent has been answered.
  void release_pins() { ++batch_; }

 private:
  struct InRecency;
  struct Slot : base::ListHook<InRecency> {
    StatementId id{};
    std::uint32_t batch = 0;            // Of the last use; equal to the current one: pinned.
    const std::string* name = nullptr;  // In names_; nullptr: the table's.
  };
  struct Closing {
    StatementId id{};
    const std::string* name = nullptr;
  };
  std::vector<Closing>::iterator find_closing(StatementId id);
  void add(StatementId id, const std::string* name);
  void forget_name(const std::string* name);

  StatementTable& table_;
  std::unordered_map<StatementId, Slot> slots_;
  base::List<Slot, InRecency> recency_;  // Least recently used first.
  std::vector<Closing> closing_;         // Close was sent.
  // Names of statements that are others in the table: another reactor has given them, or the
  // table's is taken here.
  std::set<std::string, std::less<>> names_;
  std::uint32_t batch_ = 1;
  StatementId unnamed_ = StatementId::None;
};

}  // namespace pgweir::session

// StatementTable: the texts of prepared statements, each once. Two clients that prepare the same
// text with the same parameter types, and read it alike, share one entry, and so one statement on
// each server. Which client or server has which is prepared_statements.h.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/list.h"
#include "session/statement_effect.h"

namespace pgweir::session {

enum class StatementId : std::uint32_t { None = 0 };

struct InUnused;
struct Statement : base::ListHook<InUnused> {
  StatementId id{};
  std::string query;
  base::ByteBuffer types;                 // As in the Parse: int16 count and OIDs.
  std::string reading;                    // Under which settings servers parse it.
  StatementEffects effects;               // Of executing it.
  std::vector<base::PoolId> accepted_in;  // A server of these pools has parsed it without error.
  // "pgweir_" and 16 hexadecimal digits, never used for another text, in no other table either.
  std::string server_name;
  std::uint64_t hash = 0;
  std::uint32_t references = 0;
};

class StatementTable {
 public:
  // unused_max: how many statements that nobody refers to are kept for the next one who prepares
  // them, and how many bytes of text.
  explicit StatementTable(std::size_t unused_max = 1000,
                          std::size_t unused_bytes_max = std::size_t{16} * 1024 * 1024);
  // author: of several tables whose names meet on a server, this one; below 16.
  void set_author(std::uint32_t author);
  StatementTable(const StatementTable&) = delete;
  StatementTable& operator=(const StatementTable&) = delete;
  ~StatementTable();

  // The entry of this text, these types and this reading (reading.h), made if there is none;
  // retained for the caller.
  StatementId intern(std::string_view query, base::Bytes types, std::string_view reading = {});
  // That entry if there is one, not retained; else None.
  StatementId lookup(std::string_view query, base::Bytes types,
                     std::string_view reading = {}) const;
  // A server of this pool has parsed it.
  void accept(StatementId id, base::PoolId pool);
  bool is_accepted(StatementId id, base::PoolId pool) const;
  void retain(StatementId id);
  void release(StatementId id);
  // The next intern() of this text makes a new entry: the servers' plans of this one are stale
  // ("cached plan must not change result type"). Who refers to it keeps it. Nothing happens if it
  // is gone already.
  void retire(StatementId id);
  // A name that no statement has, nor will have, in any table.
  std::string make_name();
  // nullptr: it is None, or gone.
  const Statement* find(StatementId id) const;
  // REQUIRES: id is retained by somebody or has not been reused since it was.
  const Statement& at(StatementId id) const;
  std::size_t size() const { return by_hash_.size(); }

 private:
  StatementId lookup(std::uint64_t hash, std::string_view query, base::Bytes types,
                     std::string_view reading) const;
  Statement& entry(StatementId id);
  void unlist(const Statement& statement);
  void forget_oldest_unused();

  const std::size_t unused_max_;
  const std::size_t unused_bytes_max_;
  std::vector<std::unique_ptr<Statement>> statements_;  // By id - 1; nullptr: free.
  std::vector<std::uint32_t> free_;
  std::unordered_multimap<std::uint64_t, StatementId> by_hash_;
  base::List<Statement, InUnused> unused_;  // Longest unused first.
  std::size_t unused_count_ = 0;
  std::size_t unused_bytes_ = 0;
  std::uint64_t last_serial_ = 0;
};

}  // namespace pgweir::session

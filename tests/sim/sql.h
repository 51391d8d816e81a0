// Sql: the little that the simulated PostgreSQL and its clients understand of SQL, and what it does
// to a session: settings, transactions, savepoints. Both ends use the same rules, so that a client
// knows what it should see. The texts are real SQL, for pgweir reads them too.
//
// A mark "#17.42#" anywhere in a statement says whose it is: client 17, its 42nd statement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace pgweir::sim {

struct Mark {
  std::uint32_t client = 0;  // 0: none; the statement is pgweir's own.
  std::uint32_t sequence = 0;

  friend bool operator==(const Mark&, const Mark&) = default;
};
std::string to_text(Mark mark);
Mark find_mark(std::string_view text);

enum class Verb : std::uint8_t {
  Echo,   // SELECT …: one row.
  Sleep,  // SELECT pg_sleep(…)
  Rows,   // SELECT repeat('x', bytes) FROM generate_series(1, count)
  Fail,   // SELECT 1/0
  Show,
  Begin,
  Commit,
  Rollback,
  Savepoint,
  RollbackTo,
  Release,
  Set,
  SetLocal,
  SetConfig,  // SELECT pg_catalog.set_config(name, value, false): pgweir's replay of plain values.
  Reset,
  ResetAll,
  DiscardAll,
  Deallocate,
  DeallocateAll,
  CopyIn,
  CopyOut,  // COPY (SELECT … generate_series(1, count)) TO STDOUT
  Listen,
  Unlisten,
  TempTable,
  DropTable,
  Inquire,  // SELECT 1 WHERE …: pgweir asks whether the session has state of its own.
};

// A notice that no statement has caused; one that was caused by a statement bears its mark.
inline constexpr const char* kMuttering = "the simulated server mutters";

// What the server says to the first line of COPY bad FROM STDIN.
inline constexpr const char* kBadCopy = "22P04";

struct Statement {
  Verb verb = Verb::Echo;
  std::string text = {};  // As written, for the answer.
  std::string name = {};  // Of a parameter, savepoint or prepared statement.
  std::string value = {};
  std::size_t count = 1;
  std::size_t bytes = 0;
  base::Duration sleep{};
  Mark mark = {};
};

// The statements of a text, split at semicolons.
std::vector<Statement> parse_text(std::string_view text);
bool returns_rows(Verb verb);

using Settings = std::map<std::string, std::string>;
// What a new session of the simulated server has.
const Settings& server_settings();
// How the server spells a value: "ISO" is "ISO, MDY".
std::string canonical_value(std::string_view name, std::string_view value);
bool is_reported(std::string_view name);

// The settings and the transaction of one session.
class SessionModel {
 public:
  explicit SessionModel(Settings defaults);

  // A statement begins: outside of a block this is an implicit transaction.
  void begin_statement();
  // Does what the statement does; returns its command tag without a row count.
  std::string apply(const Statement& statement);
  // A statement failed.
  void fail();
  // ReadyForQuery is due: an implicit transaction ends.
  void end_batch();

  // 'I', 'T' or 'E'.
  char status() const { return is_failed_ ? 'E' : is_in_block_ ? 'T' : 'I'; }
  const std::string& value(const std::string& name) const;
  const Settings& settings() const { return now_.shown; }
  // All settings in one line, for every answer.
  std::string digest() const;
  // The settings that decide what a literal means to the server when it parses it.
  std::string reading() const;
  bool has_savepoint(std::string_view name) const;
  // A channel, a temporary table.
  bool has_state() const { return now_.is_listening || now_.has_temp_table; }
  // The answer to pgweir's question, which names the catalogs that it looks at.
  bool has_state_in(std::string_view question) const;

 private:
  struct State {
    Settings lasting;  // After COMMIT.
    Settings shown;    // SET LOCAL included.
    bool is_listening = false;
    bool has_temp_table = false;
  };
  void end_transaction(bool is_committed);
  void set(const std::string& name, const std::string& value, bool is_local);

  Settings defaults_;
  State now_;
  std::optional<State> before_;  // As the transaction found it.
  std::vector<std::pair<std::string, State>> savepoints_;
  bool is_in_block_ = false;
  bool is_failed_ = false;
};

}  // namespace pgweir::sim

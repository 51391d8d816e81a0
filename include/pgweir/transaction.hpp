/// \file
/// transaction: statements that happen together or not at all. It begins with its first statement,
/// in the same round trip, and what is not committed when it goes is rolled back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "pgweir/connection.hpp"

namespace pgweir {
inline namespace v1 {

/// SQL's isolation levels (PostgreSQL manual, section 13.2).
enum class isolation : unsigned char {
  server_default,
  read_committed,
  repeatable_read,
  serializable,
};

/// READ WRITE or READ ONLY.
enum class access_mode : unsigned char { server_default, read_write, read_only };

/// How a transaction begins, and how often it is tried.
struct transaction_options {
  isolation level = isolation::server_default;     ///< Of ISOLATION LEVEL.
  access_mode mode = access_mode::server_default;  ///< READ WRITE or READ ONLY.
  bool is_deferrable = false;  ///< DEFERRABLE: with serializable and read_only it cannot fail.
  /// How often database_pool::transaction() runs the function before an error that is retryable
  /// (40001, 40P01) is passed on. Unset: 5 times for serializable and repeatable_read, else once.
  std::optional<unsigned> attempts = {};

  /// For how long to wait after that attempt, the first being 1, before the next one; nothing: the
  /// error is passed on. database_pool::transaction() does so by itself.
  PGWEIR_EXPORT std::optional<std::chrono::nanoseconds> pause_after(const error_info& failed,
                                                                    unsigned attempt) const;
};

/// Thread-safety: one thread at a time.
class PGWEIR_EXPORT transaction {
 public:
  /// Takes no round trip. The connection must outlive the transaction, and is used by nobody else
  /// meanwhile.
  explicit transaction(connection& in, const transaction_options& options = {});
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  /// Rolls back unless it was committed. Never waits, never throws: the pool does it.
  ~transaction();

  /// As of connection. After an error every further statement is one, too: server, 25P02.
  template <class... Arguments>
  rows query(const sql& statement, const Arguments&... arguments) {
    return try_query(statement, arguments...).value();
  }
  /// The same without exceptions.
  template <class... Arguments>
  result<rows> try_query(const sql& statement, const Arguments&... arguments) {
    return run(statement, parameters(arguments...).view(), ending::none);
  }
  /// As of connection.
  template <class... T, class... Arguments>
  auto query_one(const sql& statement, const Arguments&... arguments) {
    return query(statement, arguments...).one().template as<T...>();
  }
  /// As of connection.
  template <class... Arguments>
  std::uint64_t execute(const sql& statement, const Arguments&... arguments) {
    return query(statement, arguments...).affected();
  }
  /// As of connection.
  template <class... Arguments>
  row_stream stream(const sql& statement, const Arguments&... arguments) {
    return open_stream(statement, parameters(arguments...).view());
  }
  /// BEGIN takes a round trip of its own for these three, if it has not been sent.
  template <class... Arguments>
  page query_page(const sql& statement, std::size_t size, const Arguments&... arguments) {
    begin_by_itself(statement.where());
    return connection_.query_page(statement, size, arguments...);
  }
  /// As of connection.
  copy_in copy_from(const sql& statement);
  /// As of connection.
  copy_out copy_to(const sql& statement);
  /// As of connection: pending.hpp. The transaction outlives it.
  template <class... Arguments>
  pending_rows begin_query(const sql& statement, const Arguments&... arguments);
  /// query_and_commit() in the same way.
  template <class... Arguments>
  pending_rows begin_query_and_commit(const sql& statement, const Arguments&... arguments);
  /// commit() in the same way; the rows are none.
  pending_rows begin_commit(code_location where = code_location::current());
  /// rollback() in the same way; the rows are none.
  pending_rows begin_rollback(code_location where = code_location::current());
  /// The last statement and COMMIT in one round trip, together with BEGIN if it is the only one.
  /// Errors: those of query() and commit().
  template <class... Arguments>
  rows query_and_commit(const sql& statement, const Arguments&... arguments) {
    return run(statement, parameters(arguments...).view(), ending::commit).value();
  }
  /// The same for its effect.
  template <class... Arguments>
  std::uint64_t execute_and_commit(const sql& statement, const Arguments&... arguments) {
    return query_and_commit(statement, arguments...).affected();
  }

  /// Makes it happen. Without a statement before it nothing is sent. Errors: server (nothing of it
  /// has happened), outcome_unknown (the answer was lost: it may have).
  void commit(code_location where = code_location::current()) { try_commit(where).value(); }
  /// The same without exceptions; the value is true.
  result<bool> try_commit(code_location where = code_location::current());
  /// Nothing of it happens. Errors: server, when the connection was lost, which does the same.
  void rollback(code_location where = code_location::current());

  /// Runs `body` so that it happens or not by itself: SAVEPOINT, and ROLLBACK TO it when an
  /// exception leaves it, which is passed on. `body` is called with this transaction.
  template <class Body>
  decltype(auto) nested(Body&& body, code_location where = code_location::current()) {
    savepoint point(*this, where);
    if constexpr (std::is_void_v<decltype(body(*this))>) {
      std::forward<Body>(body)(*this);
      point.release();
    } else {
      decltype(auto) value = std::forward<Body>(body)(*this);
      point.release();
      return value;
    }
  }

  /// Whether statements can be run: it was neither committed nor rolled back.
  bool is_open() const noexcept { return state_ != state::over; }

 private:
  enum class state : unsigned char { unbegun, begun, over };
  enum class ending : unsigned char { none, commit };

  class PGWEIR_EXPORT savepoint {
   public:
    savepoint(transaction& in, code_location where);
    savepoint(const savepoint&) = delete;
    savepoint& operator=(const savepoint&) = delete;
    ~savepoint();
    void release();

   private:
    transaction& transaction_;
    const code_location where_;
    const std::string name_;
    bool is_set_ = false;
  };

  result<rows> run(const sql& statement, const parameter_view& values, ending how);
  pending_rows begin_run(const sql& statement, const parameter_view& values, ending how);
  void begin(client::StatementCall& call, const client::SpelledStatement& spelled,
             const code_location& where, ending how);
  // False: nothing is to be sent.
  bool begin_ending(client::StatementCall& call, const code_location& where);
  void begin_by_itself(const code_location& where);
  void run_command(const std::string& text, const code_location& where);
  row_stream open_stream(const sql& statement, const parameter_view& values);

  connection& connection_;
  std::string begin_;
  state state_ = state::unbegun;
  unsigned savepoint_count_ = 0;
};

}  // namespace v1
}  // namespace pgweir

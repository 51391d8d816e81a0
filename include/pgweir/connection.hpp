/// \file
/// connection: statements on one PostgreSQL connection, for as long as somebody has the lease of
/// it. How one is had and given back is database_pool.hpp; several statements that happen together
/// or not at all are transaction.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "pgweir/copy.hpp"
#include "pgweir/error.hpp"
#include "pgweir/export.hpp"
#include "pgweir/parameters.hpp"
#include "pgweir/result.hpp"
#include "pgweir/row_stream.hpp"
#include "pgweir/rows.hpp"
#include "pgweir/sql.hpp"

struct pg_conn;

namespace pgweir {
namespace client {
class Database;
class ListenerCore;
class Server;
class SpelledStatement;
class StatementCall;
}  // namespace client

inline namespace v1 {

class pending_rows;

/// Thread-safety: one thread at a time. Errors of the throwing forms are those of the try_ forms:
/// server (PostgreSQL refused it, or the connection was lost), cancelled, value, result_too_large.
class PGWEIR_EXPORT connection {
 public:
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Runs one statement with $1, $2, … and returns all rows of it.
  template <class... Arguments>
  rows query(const sql& statement, const Arguments&... arguments) {
    return try_query(statement, arguments...).value();
  }
  /// The same without exceptions.
  template <class... Arguments>
  result<rows> try_query(const sql& statement, const Arguments&... arguments) {
    return run(statement, parameters(arguments...).view());
  }

  /// The only row of it, as one T, as a std::tuple of several, or as a struct: row::as(). Errors
  /// besides: value, when there are more rows or none.
  template <class... T, class... Arguments>
  auto query_one(const sql& statement, const Arguments&... arguments) {
    return query(statement, arguments...).one().template as<T...>();
  }

  /// The first `size` rows, and whether there are more. PostgreSQL makes one more than that, for
  /// ` limit size + 1` is put behind the statement, which has no LIMIT of its own, and says in its
  /// WHERE and ORDER BY where the page begins: "… where id > $1 order by id". Errors besides:
  /// value, when size is zero.
  template <class... Arguments>
  page query_page(const sql& statement, std::size_t size, const Arguments&... arguments) {
    return run_page(statement, size, parameters(arguments...).view()).value();
  }

  /// The same for its effect: how many rows were inserted, changed, deleted or found.
  template <class... Arguments>
  std::uint64_t execute(const sql& statement, const Arguments&... arguments) {
    return query(statement, arguments...).affected();
  }
  /// The same without exceptions.
  template <class... Arguments>
  result<std::uint64_t> try_execute(const sql& statement, const Arguments&... arguments) {
    auto outcome = try_query(statement, arguments...);
    if (!outcome) return std::move(outcome).error();
    return outcome->affected();
  }

  /// Sends it and returns: pending.hpp. What it is called with may go afterwards. Never throws for
  /// what PostgreSQL says.
  template <class... Arguments>
  pending_rows begin_query(const sql& statement, const Arguments&... arguments);

  /// The rows one after the other, however many there are: row_stream.hpp. Until it has ended
  /// nothing else can be asked of this connection. max_rows and max_bytes do not count.
  template <class... Arguments>
  row_stream stream(const sql& statement, const Arguments&... arguments) {
    return open_stream(statement, parameters(arguments...).view());
  }

  /// `copy_from("copy users from stdin")`, `copy_to("copy (select …) to stdout")`: copy.hpp. Until
  /// it has ended nothing else can be asked of this connection. Errors: server, cancelled, value.
  copy_in copy_from(const sql& statement);
  /// The other direction.
  copy_out copy_to(const sql& statement);

  /// libpq's own handle, for what is not offered here. It stays the connection's: do not close it.
  /// When the lease is over PostgreSQL resets the session (DISCARD ALL) before the next one, and
  /// the handle's own settings (notices, trace, verbosity, blocking) are the library's again.
  pg_conn* native_handle() noexcept;
  /// Of the server process, as pg_stat_activity shows it.
  int backend_pid() const noexcept;

 private:
  friend class client::ListenerCore;
  friend class connection_lease;
  friend class database_pool;
  friend class pending_lease;
  friend class transaction;

  connection() noexcept : database_(nullptr), server_(nullptr) {}
  connection(client::Database& database, client::Server& server) noexcept
      : database_(&database), server_(&server) {}
  connection(connection&&) noexcept = default;
  connection& operator=(connection&&) noexcept = default;

  result<rows> run(const sql& statement, const parameter_view& values);
  pending_rows begin_run(const sql& statement, const parameter_view& values);
  static void begin(client::StatementCall& call, const client::SpelledStatement& spelled);
  result<page> run_page(const sql& statement, std::size_t size, const parameter_view& values);
  row_stream open_stream(const sql& statement, const parameter_view& values);

  client::Database* database_;
  client::Server* server_;
};

}  // namespace v1
}  // namespace pgweir

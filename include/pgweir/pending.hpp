/// \file
/// pending_lease, pending_rows: what was asked for and is under way, with no thread that waits for
/// it. They are what an event loop needs to know, whichever it is; for Asio the rest is written in
/// asio.hpp.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>

#include "pgweir/lease.hpp"
#include "pgweir/result.hpp"
#include "pgweir/rows.hpp"
#include "pgweir/transaction.hpp"

namespace pgweir {
namespace client {
class LeaseWait;
class StatementCall;
}  // namespace client

inline namespace v1 {

/// A place in the line for a connection: database_pool::begin_acquire(). Thread-safety: one thread
/// at a time.
class PGWEIR_EXPORT pending_lease {
 public:
  /// The other is good for its destructor only.
  pending_lease(pending_lease&&) noexcept = default;
  /// The other is good for its destructor only.
  pending_lease& operator=(pending_lease&& other) noexcept;
  /// Gives up the place, or the connection if there is one.
  ~pending_lease();

  /// Whether the outcome is there.
  bool is_over() const noexcept;
  /// `call` is called once when the outcome is there, by whichever thread has brought it about; it
  /// passes that on to the loop and does no more. False: it is there, and nothing is called.
  bool on_over(std::function<void()> call);
  /// When time_out() is to be called; time_point::max(): never.
  std::chrono::steady_clock::time_point deadline() const noexcept;
  /// What cancel() is to be called for.
  const std::stop_token& stop() const noexcept { return stop_; }
  /// Nobody waits any longer: acquire_timeout, with the holders, unless it was over before.
  void time_out();
  /// The same for other reasons: cancelled.
  void cancel();
  /// REQUIRES: is_over(); once.
  result<connection_lease> take();

 private:
  friend class database_pool;
  pending_lease(std::shared_ptr<client::LeaseWait> wait, client::Database& database,
                std::stop_token stop) noexcept;

  std::shared_ptr<client::LeaseWait> wait_;
  client::Database* database_;
  std::stop_token stop_;
};

/// A statement on its way: connection::begin_query() and its like. Until it is over nothing else
/// can be asked of the connection, which outlives it. Thread-safety: one thread at a time.
class PGWEIR_EXPORT pending_rows {
 public:
  /// The other is good for its destructor only.
  pending_rows(pending_rows&&) noexcept;
  /// The other is good for its destructor only.
  pending_rows& operator=(pending_rows&&) noexcept;
  /// Leaves the statement alone: the pool ends it when the lease is over.
  ~pending_rows();

  /// Whether the outcome is there.
  bool is_over() const noexcept;
  /// Goes on as far as it can, and never blocks. To be called when the descriptor is ready for what
  /// is wanted of it, and when deadline() has come.
  void step();
  /// Of the connection's socket. It is libpq's, which may close it in step(): watch a duplicate.
  int descriptor() const noexcept;
  /// Whether it waits for the descriptor to be readable.
  bool wants_read() const noexcept;
  /// Whether it waits for the descriptor to be writable.
  bool wants_write() const noexcept;
  /// When to step in any case, as of now; time_point::max(): never.
  std::chrono::steady_clock::time_point deadline() const noexcept;
  /// What cancel() is to be called for: the call's own, and the end of the pool.
  const std::array<std::stop_token, 2>& stops() const noexcept { return stops_; }
  /// PostgreSQL is told to give it up. It is over when that is done, or when nothing was
  /// heard for two seconds; look at deadline() anew.
  void cancel();
  /// REQUIRES: is_over(); once.
  result<rows> take();

 private:
  friend class connection;
  friend class transaction;
  pending_rows(client::Database& database, client::Server& server, const sql& call);

  std::unique_ptr<client::StatementCall> call_;
  client::Server* server_;
  std::array<std::stop_token, 2> stops_;
};

/// Says, as long as it lives, that this thread runs an event loop: a call that blocks is reported
/// with its place, for it holds up everybody there. asio.hpp has one around every handler.
class PGWEIR_EXPORT event_loop_scope {
 public:
  event_loop_scope() noexcept;
  event_loop_scope(const event_loop_scope&) = delete;
  event_loop_scope& operator=(const event_loop_scope&) = delete;
  ~event_loop_scope();
};

template <class... Arguments>
pending_rows connection::begin_query(const sql& statement, const Arguments&... arguments) {
  return begin_run(statement, parameters(arguments...).view());
}

template <class... Arguments>
pending_rows transaction::begin_query(const sql& statement, const Arguments&... arguments) {
  return begin_run(statement, parameters(arguments...).view(), ending::none);
}

template <class... Arguments>
pending_rows transaction::begin_query_and_commit(const sql& statement,
                                                 const Arguments&... arguments) {
  return begin_run(statement, parameters(arguments...).view(), ending::commit);
}

}  // namespace v1
}  // namespace pgweir

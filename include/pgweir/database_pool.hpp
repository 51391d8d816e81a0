/// \file
/// database_pool: a bounded number of connections to one PostgreSQL for all threads of a process,
/// lent first come, first served. One per database and process is right: database.hpp has it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "pgweir/info.hpp"
#include "pgweir/lease.hpp"
#include "pgweir/options.hpp"
#include "pgweir/pending.hpp"
#include "pgweir/transaction.hpp"

namespace pgweir {
inline namespace v1 {

/// How a connection is asked for.
struct acquire_options {
  /// Unset: pool_timeout of the URL, 10 s by default. Zero: not at all.
  std::optional<std::chrono::nanoseconds> timeout = {};
  std::stop_token stop = {};  ///< Ends the wait: cancelled.
  const char* tag = nullptr;  ///< A literal that reports name the holder by.
  bool is_lasting = false;    ///< Meant to be held for long: no leak_threshold for it.
};

/// Opens connections when they are asked for and keeps them. Thread-safety: any thread may call
/// anything at any time. Errors of the throwing forms: acquire_timeout, queue_full, connect,
/// pool_closed, cancelled.
class PGWEIR_EXPORT database_pool {
 public:
  /// Connects to nothing yet. A second pool for the same database in one process is reported in the
  /// log, with both places. Errors: config, naming every setting that is wrong.
  explicit database_pool(const database_options& options = {},
                         code_location where = code_location::current());
  /// The other is good for its destructor only.
  database_pool(database_pool&&) noexcept = default;
  database_pool& operator=(database_pool&&) = delete;
  /// shutdown(), but waits for nobody. Leases that are still out stay good until they end.
  ~database_pool();

  /// A connection, for as long as the lease lives.
  [[nodiscard]] connection_lease acquire(const acquire_options& options = {},
                                         code_location where = code_location::current()) {
    return try_acquire(options, where).value();
  }
  /// The same without exceptions.
  [[nodiscard]] result<connection_lease> try_acquire(
      const acquire_options& options = {}, code_location where = code_location::current());
  /// The same without waiting: pending.hpp. The timeout is the caller's to keep.
  pending_lease begin_acquire(const acquire_options& options = {},
                              code_location where = code_location::current());
  /// An idle connection or none. Never waits, opens none, and never goes before one who waits.
  [[nodiscard]] std::optional<connection_lease> acquire_if_idle(
      code_location where = code_location::current());

  /// Calls `body` with a connection& and returns what it returns. The connection goes back when
  /// body is left, however that is.
  template <class Body>
  requires std::invocable<Body&, connection&>
  decltype(auto) with_connection(Body&& body, const acquire_options& options = {},
                                 code_location where = code_location::current()) {
    connection_lease lease = acquire(options, where);
    return std::invoke(body, *lease);
  }

  /// Calls `body` with a transaction&, commits when it returns and rolls back when it throws.
  /// Errors that only mean that others were in the way (40001, 40P01) make a fresh transaction and
  /// another call, as often as the options say, after a pause that grows; so `body` has no other
  /// effects. Errors besides: outcome_unknown.
  template <class Body>
  requires std::invocable<Body&, v1::transaction&>
  auto transaction(const transaction_options& options, Body&& body,
                   const acquire_options& acquiring = {},
                   code_location where = code_location::current())
      -> std::invoke_result_t<Body&, v1::transaction&>;
  /// With the options as they are by default.
  template <class Body>
  requires std::invocable<Body&, v1::transaction&>
  auto transaction(Body&& body, const acquire_options& acquiring = {},
                   code_location where = code_location::current())
      -> std::invoke_result_t<Body&, v1::transaction&> {
    return transaction(transaction_options{}, std::forward<Body>(body), acquiring, where);
  }

  /// Whether PostgreSQL answers, by a connection of the pool's, within that time. Never throws.
  bool check(std::chrono::milliseconds time_max = std::chrono::seconds(2),
             code_location where = code_location::current()) noexcept;
  /// The pool as it is. Costs some nanoseconds and no connection.
  pool_stats stats() const noexcept;
  /// The same with the holders, and what the server says within half a second if a connection is to
  /// be had.
  pool_info info(code_location where = code_location::current()) const;

  /// Nobody gets a connection any more and who waits is told so: pool_closed. Waits until all are
  /// given back and ended, at most so long. Statements that run still are cancelled then, which
  /// takes half a second more at most. Always returns; may be called again.
  shutdown_report shutdown(std::chrono::milliseconds drain = std::chrono::seconds(10));

 private:
  // Before the next attempt; throws the error instead when there is none.
  static void pause_before_retry(const error& failed, unsigned attempt,
                                 const transaction_options& options);

  std::shared_ptr<client::Database> database_;
};

template <class Body>
requires std::invocable<Body&, v1::transaction&>
auto database_pool::transaction(const transaction_options& options, Body&& body,
                                const acquire_options& acquiring, code_location where)
    -> std::invoke_result_t<Body&, v1::transaction&> {
  for (unsigned attempt = 1;; ++attempt) {
    try {
      connection_lease lease = acquire(acquiring, where);
      v1::transaction tx(*lease, options);
      if constexpr (std::is_void_v<std::invoke_result_t<Body&, v1::transaction&>>) {
        std::invoke(body, tx);
        if (tx.is_open()) tx.commit(where);
        return;
      } else {
        auto value = std::invoke(body, tx);
        if (tx.is_open()) tx.commit(where);
        return value;
      }
    } catch (const error& failed) {
      pause_before_retry(failed, attempt, options);
    }
  }
}

}  // namespace v1
}  // namespace pgweir

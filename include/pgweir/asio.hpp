/// \file
/// asio: the library for programs that run on Asio, with C++20 coroutines: async_acquire,
/// async_query and their like, for awaitables, futures and callbacks. Header-only and apart from
/// the rest. Boost.Asio (1.81 or later) is used, or with PGWEIR_ASIO_STANDALONE defined the Asio
/// without Boost (1.22 or later).
///
/// Each function begins at once what it is named for. Its last argument may be a completion token;
/// without one it gives an awaitable:
///
///   connection_lease lease = co_await async_acquire(db);
///   rows users = co_await async_query(*lease, "select name from users where org = $1", org);
///   async_query(*lease, "select 1", boost::asio::use_future).get();
///
/// Completion signature: void(std::exception_ptr, T). It runs by the token's associated executor,
/// never inside the function that began it. Per-operation cancellation, of any type: a wait ends, a
/// statement is cancelled on the server, both with `cancelled`. Thread-safety: that of the objects;
/// the executor need not be a strand.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "pgweir/asio/lease_waiter.hpp"
#include "pgweir/asio/rows_stepper.hpp"
#include "pgweir/database_pool.hpp"

namespace pgweir {
inline namespace v1 {

/// A connection_lease. It is in the line already; an awaitable that is dropped leaves it. Errors:
/// those of database_pool::acquire().
inline auto async_acquire(database_pool& db, const acquire_options& options = {},
                          code_location where = code_location::current()) {
  return asio_adapter::initiate(db.begin_acquire(options, where),
                                asio_adapter::asio::use_awaitable);
}
/// The same with a token.
template <asio_adapter::asio::completion_token_for<asio_adapter::lease_signature> Token>
auto async_acquire(database_pool& db, const acquire_options& options, Token&& token,
                   code_location where = code_location::current()) {
  return asio_adapter::initiate(db.begin_acquire(options, where), std::forward<Token>(token));
}

/// rows. Errors: those of query().
template <class... Arguments>
auto async_query(connection& in, const sql& statement, Arguments&&... arguments) {
  return asio_adapter::initiate_with<asio_adapter::all_rows>(
      [&](const auto&... values) { return in.begin_query(statement, values...); },
      std::forward<Arguments>(arguments)...);
}

/// The same in a transaction.
template <class... Arguments>
auto async_query(transaction& in, const sql& statement, Arguments&&... arguments) {
  return asio_adapter::initiate_with<asio_adapter::all_rows>(
      [&](const auto&... values) { return in.begin_query(statement, values...); },
      std::forward<Arguments>(arguments)...);
}

/// std::uint64_t: how many rows were inserted, changed, deleted or found. Errors: those of query().
template <class... Arguments>
auto async_execute(connection& in, const sql& statement, Arguments&&... arguments) {
  return asio_adapter::initiate_with<asio_adapter::affected_rows>(
      [&](const auto&... values) { return in.begin_query(statement, values...); },
      std::forward<Arguments>(arguments)...);
}

/// The same in a transaction.
template <class... Arguments>
auto async_execute(transaction& in, const sql& statement, Arguments&&... arguments) {
  return asio_adapter::initiate_with<asio_adapter::affected_rows>(
      [&](const auto&... values) { return in.begin_query(statement, values...); },
      std::forward<Arguments>(arguments)...);
}

/// rows. Errors: those of transaction::query_and_commit().
template <class... Arguments>
auto async_query_and_commit(transaction& in, const sql& statement, Arguments&&... arguments) {
  return asio_adapter::initiate_with<asio_adapter::all_rows>(
      [&](const auto&... values) { return in.begin_query_and_commit(statement, values...); },
      std::forward<Arguments>(arguments)...);
}

/// Nothing. Errors: those of transaction::commit().
inline auto async_commit(transaction& in, code_location where = code_location::current()) {
  return asio_adapter::initiate<asio_adapter::no_rows>(in.begin_commit(where),
                                                       asio_adapter::asio::use_awaitable);
}
/// The same with a token.
template <asio_adapter::asio::completion_token_for<asio_adapter::no_rows::signature> Token>
auto async_commit(transaction& in, Token&& token, code_location where = code_location::current()) {
  return asio_adapter::initiate<asio_adapter::no_rows>(in.begin_commit(where),
                                                       std::forward<Token>(token));
}

/// Nothing. Errors: those of transaction::rollback().
inline auto async_rollback(transaction& in, code_location where = code_location::current()) {
  return asio_adapter::initiate<asio_adapter::no_rows>(in.begin_rollback(where),
                                                       asio_adapter::asio::use_awaitable);
}
/// The same with a token.
template <asio_adapter::asio::completion_token_for<asio_adapter::no_rows::signature> Token>
auto async_rollback(transaction& in, Token&& token,
                    code_location where = code_location::current()) {
  return asio_adapter::initiate<asio_adapter::no_rows>(in.begin_rollback(where),
                                                       std::forward<Token>(token));
}

/// database_pool::transaction() for coroutines: `body` is called with a transaction& and returns an
/// awaitable; when that ends the transaction is committed, when an exception leaves it, it is
/// rolled back. Errors that only mean that others were in the way make a fresh transaction and
/// another call. The pool outlives it.
template <class Body>
auto async_transaction(database_pool& db, transaction_options options, Body body,
                       acquire_options acquiring = {},
                       code_location where = code_location::current())
    -> std::invoke_result_t<Body&, transaction&> {
  using value_type = typename std::invoke_result_t<Body&, transaction&>::value_type;
  for (unsigned attempt = 1;; ++attempt) {
    std::optional<error_info> failed;
    try {
      connection_lease lease = co_await async_acquire(db, acquiring, where);
      transaction tx(*lease, options);
      if constexpr (std::is_void_v<value_type>) {
        co_await std::invoke(body, tx);
        if (tx.is_open()) co_await async_commit(tx, where);
        co_return;
      } else {
        value_type value = co_await std::invoke(body, tx);
        if (tx.is_open()) co_await async_commit(tx, where);
        co_return value;
      }
    } catch (const error& thrown) {
      failed = thrown.info();
    }
    const auto pause = options.pause_after(*failed, attempt);
    if (!pause) throw_error(std::move(*failed));
    asio_adapter::asio::steady_timer timer(co_await asio_adapter::asio::this_coro::executor);
    timer.expires_after(*pause);
    co_await timer.async_wait(asio_adapter::asio::use_awaitable);
  }
}

}  // namespace v1
}  // namespace pgweir

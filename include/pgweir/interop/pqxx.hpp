/// \file
/// pqxx_lease: libpqxx on a connection of the pool's. The one header that needs libpqxx, of 6.4 or
/// from 7.8 on, and libpq's own header; the library needs neither of a program that does without.
/// CMake: find_package(pgweir COMPONENTS pqxx), target pgweir::pqxx.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "pgweir/lease.hpp"

#if PQXX_VERSION_MAJOR < 6 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR < 8)
#error "libpqxx takes a connection that it has not opened in its versions 6 and from 7.8 on"
#endif

namespace pgweir {
inline namespace v1 {

#if PQXX_VERSION_MAJOR == 6
/// A connection of libpqxx 6 that uses a PGconn and never owns it. For pqxx_lease alone.
class lent_pqxx_connection final : private ::pqxx::connectionpolicy,
                                   public ::pqxx::connection_base {
 public:
  /// Errors: those of libpqxx. The handle outlives this object.
  explicit lent_pqxx_connection(pg_conn* lent)
      : connectionpolicy(std::string()),
        connection_base(static_cast<connectionpolicy&>(*this)),
        handle_(lent) {
    init();
  }
  lent_pqxx_connection(const lent_pqxx_connection&) = delete;
  lent_pqxx_connection& operator=(const lent_pqxx_connection&) = delete;
  ~lent_pqxx_connection() override { close(); }

 private:
  // libpqxx asks again when it has lost the connection or was told to let it go. A session of its
  // own would be one that nobody has counted.
  handle do_startconnect(handle current) override {
    if (current != nullptr) return current;
    if (handle_ == nullptr) {
      throw ::pqxx::broken_connection("the connection is gone, and its lease is for no other");
    }
    return std::exchange(handle_, nullptr);
  }
  handle do_completeconnect(handle current) override { return current; }
  // With a handle left libpqxx would go on to PQreset().
  handle do_dropconnect(handle) noexcept override { return nullptr; }
  handle do_disconnect(handle) noexcept override { return nullptr; }

  handle handle_;
};
#endif

/// A connection_lease whose connection libpqxx uses:
///
///   pgweir::pqxx_lease lease(db.acquire());
///   pqxx::work tx{lease.pqxx()};
///   tx.exec("update …");
///   tx.commit();
///
/// libpqxx neither closes the connection nor opens another: once it is lost, all that is asked of
/// libpqxx is a pqxx::broken_connection, and the pool replaces it after the lease. PostgreSQL
/// resets the session (DISCARD ALL) before the next lease: no setting, temporary table, prepared
/// statement or LISTEN is left of it. Notices go to the pqxx::errorhandlers.
///
/// Every transaction, stream, pipeline, errorhandler and notification receiver on it ends before
/// the lease does: libpqxx from 7.10 on would not tell them. A pqxx::result may outlive both.
///
/// Move-only, also while there are transactions on it. Thread-safety: one thread at a time; it may
/// end on another thread than it began on.
class pqxx_lease {
 public:
  /// What transactions of this version of libpqxx are made on.
#if PQXX_VERSION_MAJOR == 6
  using connection_type = ::pqxx::connection_base;
#else
  using connection_type = ::pqxx::connection;
#endif

  /// Takes the lease, which is neither released nor moved from. No round trip. Errors:
  /// pqxx::broken_connection, when the connection was lost already; the lease is over then.
  explicit pqxx_lease(connection_lease lease)
      : lease_(std::move(lease)), connection_(lend(lease_->native_handle())) {}
  /// The other has none any more.
  pqxx_lease(pqxx_lease&& other) noexcept = default;
  /// What was held is released first.
  pqxx_lease& operator=(pqxx_lease&& other) noexcept {
    if (this != &other) {
      release();
      lease_ = std::move(other.lease_);
      connection_ = std::move(other.connection_);
    }
    return *this;
  }
  ~pqxx_lease() { release(); }

  /// What the transactions of libpqxx are made on; this object's. Closing it ends its use, not the
  /// lease. Do not move from it. REQUIRES: neither released nor moved from.
  connection_type& pqxx() noexcept { return *connection_; }

  /// Gives the connection back, to be lent again once it is clean. Never throws; does nothing the
  /// second time.
  void release() noexcept {
    take_back();
    lease_.release();
  }
  /// Gives it back to be closed.
  void discard() noexcept {
    take_back();
    lease_.discard();
  }

 private:
#if PQXX_VERSION_MAJOR == 6
  using kept_connection = lent_pqxx_connection;

  static kept_connection* wrap(pg_conn* handle) { return new lent_pqxx_connection(handle); }

  void take_back() noexcept { connection_.reset(); }
#else
  using kept_connection = ::pqxx::connection;

  static kept_connection* wrap(pg_conn* handle) {
    return new ::pqxx::connection(::pqxx::connection::seize_raw_connection(handle));
  }

  void take_back() noexcept {
    if (connection_ == nullptr) return;
    // Whose close() was called, or which was moved from, has no handle to release.
    const bool has_handle = std::move(*connection_).release_raw_connection() != nullptr;
    connection_.reset();
    if (!has_handle) lease_.disown();
  }
#endif

  // When the lease ends the library sets the handle to its own ways again, whoever changed it.
  static std::unique_ptr<kept_connection> lend(pg_conn* handle) {
    if (PQstatus(handle) != CONNECTION_OK) throw ::pqxx::broken_connection(PQerrorMessage(handle));
    // libpqxx waits for nobody in a COPY: libpq would keep all of it that the server has not read.
    PQsetnonblocking(handle, 0);
    std::unique_ptr<kept_connection> connection(wrap(handle));
    PQsetNoticeReceiver(handle, forward, connection.get());
    return connection;
  }

  // A result keeps the receiver that was set when it came, and may outlive the connection. What
  // libpq calls it for then, a row that is not there, has no SQLSTATE; what a server says has.
  static void forward(void* connection, const PGresult* notice) {
    if (PQresultErrorField(notice, PG_DIAG_SQLSTATE) == nullptr) return;
    static_cast<kept_connection*>(connection)->process_notice(PQresultErrorMessage(notice));
  }

  connection_lease lease_;
  std::unique_ptr<kept_connection> connection_;
};

}  // namespace v1
}  // namespace pgweir

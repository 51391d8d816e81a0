// ConnectionParameters: what libpq is told for a connection of the control thread or of the
// library, made of a database's options and of what its hosts resolved to. Pure: libpq itself is
// the shells'. It reads no file of the home directory and no PG* variable can change whom we reach:
// each keyword that matters is given. The keywords are those of the PostgreSQL 15 manual,
// section 34.1.2.
//
// What libpq 15 lacks is left out: direct TLS (the server accepts SSLRequest as well) and PKCS #12
// identities (the shell converts them to PEM files first).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "proxy/options.h"

namespace pgweir::config {

struct ConnectionParameters {
  std::vector<std::pair<std::string, std::string>> values;    // No secret among them.
  std::vector<std::pair<std::string, base::Secret>> secrets;  // password, sslpassword.
  base::Duration time_max = base::Duration::zero();  // For all addresses together; zero: none.
  // Prisma's `sslmode=prefer` with `sslaccept=strict`: without TLS when the server has none, but
  // with TLS only if the certificate is right. libpq knows no such mode: it takes two attempts.
  bool is_plain_if_refused = false;

  // The value of a keyword, or empty. Finds no secrets.
  std::string_view find(std::string_view keyword) const;
};

// The same as the two arrays that PQconnectStartParams takes. Valid as long as both objects; what
// was revealed is wiped with this one.
class SpelledParameters {
 public:
  explicit SpelledParameters(const ConnectionParameters& parameters);
  SpelledParameters(const SpelledParameters&) = delete;
  SpelledParameters& operator=(const SpelledParameters&) = delete;
  ~SpelledParameters();

  const char* const* keywords() const { return keywords_.data(); }
  const char* const* values() const { return values_.data(); }

 private:
  std::vector<const char*> keywords_;
  std::vector<const char*> values_;
  std::vector<std::string> revealed_;  // libpq wants zero-terminated text; it copies.
};

// addresses: for each of database.hosts, in order, what it resolved to; a host without addresses
// is left out, a Unix socket's entry is not looked at. application_name: what pg_stat_activity
// shows.
// Errors: Configuration when the database names no user, Unreachable when no host is left.
base::Result<ConnectionParameters> make_connection_parameters(
    const proxy::DatabaseOptions& database, std::string_view application_name,
    const std::vector<std::vector<std::string>>& addresses);

// Why no connection of libpq's can log in as the database's settings ask for; empty if one can. A
// pool's login can (proxy/server_login.h).
std::string_view limit_of_libpq(const proxy::DatabaseOptions& database);

// The database that a connection of ours logs in to.
std::string service_database(const proxy::DatabaseOptions& database);

// "db.example:5432, [::1]:5433, /run/postgresql:5432": the hosts as a message names them.
std::string describe_hosts(const proxy::DatabaseOptions& database);

}  // namespace pgweir::config

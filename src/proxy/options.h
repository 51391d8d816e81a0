// What the core may be told: databases, users, authentication, session rules. Values only; how text
// becomes these values is config/settings.h. Durations of zero mean "none".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/io.h"
#include "base/secret.h"
#include "base/time.h"
#include "pool/options.h"

namespace pgweir::proxy {

enum class PoolMode : std::uint8_t { Session, Transaction, Statement };

// What a refusal tells a client about who holds the connections.
enum class ErrorDetail : std::uint8_t {
  Full,  // Holders of the caller's own database and user, others as a count.
  Own,   // Only the caller's own connections.
  None,
};

// libpq's sslmode, on the way to a server. Which certificates are acceptable is ServerTls::verify.
enum class SslMode : std::uint8_t { Disable, Allow, Prefer, Require, VerifyCa, VerifyFull };

enum class TlsVerify : std::uint8_t {
  None,          // Encrypted, but to whom is not checked.
  Chain,         // A trusted authority signed the certificate.
  ChainAndHost,  // And it names the host that we meant to reach.
};

// Prisma's sslaccept. Unset: libpq's rules.
enum class SslAccept : std::uint8_t { Unset, AcceptInvalidCerts, Strict };

enum class TlsNegotiation : std::uint8_t {
  Postgres,  // SSLRequest first.
  Direct,    // ClientHello at once, with ALPN (PostgreSQL 17).
};

enum class TlsVersion : std::uint8_t { Any, V1_0, V1_1, V1_2, V1_3 };

enum class ChannelBinding : std::uint8_t { Disable, Prefer, Require };

// What we answer to when a server asks who we are (libpq's require_auth).
struct ServerAuth {
  bool has_cleartext = true;
  bool has_md5 = true;
  bool has_scram = true;
  bool has_none = true;  // The server may let us in without asking.

  friend bool operator==(const ServerAuth&, const ServerAuth&) = default;
};

enum class TargetSession : std::uint8_t {
  Any,
  ReadWrite,
  ReadOnly,
  Primary,
  Standby,
  PreferStandby,
};

// In which order the hosts of a database are tried.
enum class LoadBalance : std::uint8_t {
  Disable,     // As written; the next one only when one fails.
  Random,      // libpq's load_balance_hosts=random.
  RoundRobin,  // PgBouncer's default.
};

struct ServerAddress {
  std::string host;           // Name, IP address, or directory of a Unix socket ("/…", "@…").
  std::uint16_t port = 5432;  // For a Unix socket: the number in ".s.PGSQL.5432".
  std::string address;        // libpq's hostaddr: connect here, `host` is for SNI and verify-full.
  bool is_unix() const { return !host.empty() && (host.front() == '/' || host.front() == '@'); }

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

// TLS towards a server. All paths are of PEM files unless said otherwise; the shell reads them.
struct ServerTls {
  SslMode mode = SslMode::Prefer;
  SslAccept accept = SslAccept::Unset;
  TlsVerify verify = TlsVerify::None;  // Follows from mode, accept and root_cert; config sets it.
  TlsNegotiation negotiation = TlsNegotiation::Postgres;
  bool has_sni = true;
  TlsVersion version_min = TlsVersion::V1_2;
  TlsVersion version_max = TlsVersion::Any;
  std::string root_cert;  // "system" = the authorities of the operating system.
  std::string crl;
  std::string crl_directory;
  std::string cert;    // Our certificate, with its chain …
  std::string key;     // … and private key …
  std::string pkcs12;  // … or both in one PKCS #12 file.
  base::Secret key_password;
  std::string ciphers;        // OpenSSL's list up to TLS 1.2; empty = the library's.
  std::string ciphers_tls13;  // TLS 1.3 suites; empty = the library's.
};

// A database as clients name it, and where it is.
struct DatabaseOptions {
  std::string name;                  // "*" stands for every name that has no entry of its own.
  std::vector<ServerAddress> hosts;  // At least one.
  LoadBalance load_balance = LoadBalance::Disable;
  TargetSession target_session = TargetSession::Any;
  std::string server_database;  // What the server calls it; empty = what the client said.

  std::string user;  // Every server connection logs in as this one; empty = as the client's user.
  base::Secret password;  // Of `user`, or empty: the one in the list of users.
  ChannelBinding channel_binding = ChannelBinding::Prefer;
  ServerAuth auth_allowed;

  bool prefers_unix_socket = true;  // Of a server on this machine, in place of TCP.
  // Whether it may: a Unix socket has no TLS, and without it there is nothing to bind to.
  bool may_use_unix_socket() const {
    return prefers_unix_socket && tls.mode <= SslMode::Prefer &&
           channel_binding != ChannelBinding::Require;
  }

  // Sent in the startup message of every server, in this order: application_name, options,
  // search_path, statement_timeout (text as PostgreSQL reads it), …
  std::vector<std::pair<std::string, std::string>> startup_parameters;
  std::string connect_query;  // Runs once on a new server, before its first client.

  base::Duration connect_timeout = std::chrono::seconds(5);  // TCP, TLS and login together.
  base::Duration socket_timeout = base::Duration::zero();  // Longest silence while a reply is due.

  std::optional<PoolMode> pool_mode;  // Else the user's, else Options::pool_mode.
  pool::Options pool;                 // Of each pool of this database.
  ServerTls tls;
  std::shared_ptr<const base::TlsSetup> tls_setup;  // What the shell has made of `tls`.

  std::uint32_t server_count_max = pool::kUnlimited;  // Database level.
  std::uint32_t client_count_max = pool::kUnlimited;
};

// A user who may log in. What is unset comes from the database, then from Options.
struct UserOptions {
  std::string name;
  base::Secret secret;  // As stored: plain text, "md5…" or "SCRAM-SHA-256$…"; empty = no login.
  std::optional<PoolMode> pool_mode;
  std::optional<std::uint32_t> pool_size;
  std::optional<std::uint32_t> pool_reserve;
  std::optional<base::Duration> wait_max;
  std::optional<base::Duration> query_timeout;
  std::optional<base::Duration> transaction_timeout;
  std::optional<base::Duration> idle_transaction_timeout;
  std::optional<base::Duration> client_idle_timeout;
  std::uint32_t server_count_max = pool::kUnlimited;  // Role level, over all databases.
  std::uint32_t client_count_max = pool::kUnlimited;
};

// How clients prove who they are.
enum class AuthMethod : std::uint8_t {
  Trust,      // By name; the name must be a known user's.
  Any,        // Not at all: any name, servers are logged in to as the database's `user`.
  Cleartext,  // Only over TLS or a Unix socket.
  Md5,        // SCRAM where the stored secret is a SCRAM verifier.
  ScramSha256,
  Cert,  // The common name of a verified client certificate.
};

struct Options {
  std::vector<DatabaseOptions> databases;  // In the order of configuration; "*" last.
  std::vector<UserOptions> users;          // Sorted by name.
  UserOptions user_defaults;               // Of users that are in no list (AuthMethod::Any).

  AuthMethod auth_method = AuthMethod::ScramSha256;
  std::uint32_t scram_iterations = 4096;  // When we hash a plain password ourselves.
  PoolMode pool_mode = PoolMode::Transaction;
  std::uint32_t statements_per_server_max = 200;  // Prepared ones; 0 = names pass as they are.

  std::uint32_t client_count_max = 0;  // 0 = auto, from the limit on descriptors.
  base::Duration client_login_timeout = std::chrono::seconds(60);
  base::Duration client_idle_timeout = base::Duration::zero();  // Outside of transactions.
  base::Duration query_timeout = base::Duration::zero();
  base::Duration transaction_timeout = base::Duration::zero();
  base::Duration idle_transaction_timeout = std::chrono::seconds(60);
  bool is_idle_timeout_eager = false;  // Act although nobody waits for the server, as PgBouncer.

  base::Duration shutdown_timeout = std::chrono::seconds(30);
  std::uint64_t discard_bytes_max = 1'048'576;  // Read and dropped to save a server …
  base::Duration discard_time_max = std::chrono::seconds(5);  // … whose client vanished.
  base::Duration cancel_timeout = std::chrono::seconds(10);   // Until the server confirms by EOF.
  base::Duration server_close_timeout = std::chrono::seconds(10);  // Until EOF; then it is lost.

  std::string server_reset_query = "DISCARD ALL";  // Before a server with session state is lent.
  bool has_reset_always = false;                   // Also when there is nothing to reset.
  std::vector<std::string> ignored_startup_parameters;  // Accepted from clients and dropped.
  ErrorDetail error_detail = ErrorDetail::Full;
};

}  // namespace pgweir::proxy

#include "config/without_effect.h"

#include <array>
#include <span>

namespace pgweir::config {
namespace {

constexpr std::string_view kNoGss = "no effect: pgweir does not speak GSSAPI to servers";
constexpr std::string_view kNoScramKeys = "no effect: pgweir logs in with the password";
constexpr std::string_view kNoOauth = "no effect: pgweir does not log in by OAuth";
constexpr std::string_view kProtocol = "no effect: pgweir speaks protocol 3.0 to servers";
constexpr std::string_view kNoAuthQuery =
    "no effect: users are looked up in the list of users only";
constexpr std::string_view kNoLookup = "no effect: users and rules are read from auth_file only";
constexpr std::string_view kOwnBuffers = "no effect: pgweir sizes its buffers itself";
constexpr std::string_view kFairReads = "no effect: pgweir gives every connection its turn anyway";
constexpr std::string_view kNoPeers = "no effect: this process finds its cancel keys by itself";
constexpr std::string_view kByOpenSsl = "no effect: OpenSSL's defaults for key exchange hold";

constexpr std::string_view kNoConsole = "no effect: there is no console yet";
constexpr std::string_view kNoSyslog =
    "no effect: the log goes to standard error, which systemd's journal keeps, or to logfile";
constexpr std::string_view kOwnValidation =
    "no effect: a server that rested for a second is looked at before it is lent";
constexpr std::string_view kNoLongest = "no effect: messages may be as long as PostgreSQL's";

constexpr std::array kUrl{
    WithoutEffect{"passfile", "no effect: no password file is read; put the password into the URL"},
    WithoutEffect{"service",
                  "no effect: no service file is read; put host and dbname into the URL"},
    WithoutEffect{"servicefile", "no effect: no service file is read"},
    WithoutEffect{"replication", "no effect: a pooled connection is no replication connection"},
    WithoutEffect{"sslcompression", "no effect: TLS is never compressed"},
    WithoutEffect{"sslkeylogfile", "no effect: TLS secrets are never written to a file"},
    WithoutEffect{"requirepeer", "cannot be kept: the owner of the server's socket is not checked"},
    WithoutEffect{"gssencmode", kNoGss, "require"},
    WithoutEffect{"krbsrvname", kNoGss},
    WithoutEffect{"gsslib", kNoGss},
    WithoutEffect{"gssdelegation", kNoGss},
    WithoutEffect{"scram_client_key", kNoScramKeys},
    WithoutEffect{"scram_server_key", kNoScramKeys},
    WithoutEffect{"oauth_issuer", kNoOauth},
    WithoutEffect{"oauth_client_id", kNoOauth},
    WithoutEffect{"oauth_client_secret", kNoOauth},
    WithoutEffect{"oauth_scope", kNoOauth},
    WithoutEffect{"min_protocol_version", kProtocol, "3.2"},
    WithoutEffect{"max_protocol_version", kProtocol},
    WithoutEffect{"uselibpqcompat", "no effect: sslmode has libpq's meaning anyway"},
};

// PgBouncer's and future names, for whom pgweir.toml is being written from memory.
constexpr std::array kToml{
    WithoutEffect{"admin_users", "is not supported yet: there is no console", kAnyValue},
    WithoutEffect{"stats_users", "is not supported yet: there is no console", kAnyValue},
    WithoutEffect{"auth_query", "is not supported yet: write [users.NAME] or auth_file", kAnyValue},
    WithoutEffect{"auth_hba_file", "is not supported yet: auth_type holds for all", kAnyValue},
    WithoutEffect{"dialect", "is not supported yet: a file that ends in .ini is PgBouncer's",
                  kAnyValue},
    WithoutEffect{"max_packet_size",
                  "is not supported yet: messages may be as long as PostgreSQL's", kAnyValue},
    WithoutEffect{"server_check_delay",
                  "is not needed: a server that rested for a second is looked at before it is lent",
                  kAnyValue},
    WithoutEffect{"server_check_query",
                  "is not needed: a server that rested for a second is looked at before it is lent",
                  kAnyValue},
    WithoutEffect{"syslog", "is not supported yet: use logfile, or standard error", kAnyValue},
};

constexpr std::array kIni{
    WithoutEffect{"admin_users", kNoConsole},
    WithoutEffect{"stats_users", kNoConsole},
    WithoutEffect{"max_packet_size", kNoLongest},
    WithoutEffect{"server_check_delay", kOwnValidation},
    WithoutEffect{"syslog", kNoSyslog},
    WithoutEffect{"syslog_facility", kNoSyslog},
    WithoutEffect{"syslog_ident", kNoSyslog},
    WithoutEffect{"application_name_add_host", "no effect: SHOW CLIENTS has the address"},
    WithoutEffect{"auth_dbname", kNoAuthQuery},
    WithoutEffect{"auth_query", kNoAuthQuery},
    WithoutEffect{"auth_user", kNoAuthQuery},
    WithoutEffect{"auth_hba_file", kNoLookup},
    WithoutEffect{"auth_ident_file", kNoLookup},
    WithoutEffect{"auth_ldap_options", kNoLookup},
    WithoutEffect{"autodb_idle_timeout", "no effect: databases behind * are kept"},
    WithoutEffect{"cancel_wait_timeout", "no effect: a cancel request waits for no server"},
    WithoutEffect{"client_tls_dheparams", kByOpenSsl},
    WithoutEffect{"client_tls_ecdhcurve", kByOpenSsl},
    WithoutEffect{"conffile", "no effect: a reload reads the file of --config again"},
    WithoutEffect{"disable_pqexec", "no effect: simple queries pass", "1"},
    WithoutEffect{"dns_zone_check_period", "no effect: names are asked for again by dns_max_ttl"},
    WithoutEffect{"job_name", "no effect: log lines have no name of a job"},
    WithoutEffect{"login_notify_message", "no effect: a login gets no NOTICE"},
    WithoutEffect{"peer_id", kNoPeers},
    WithoutEffect{"pkt_buf", kOwnBuffers},
    WithoutEffect{"pool_idle_timeout", "no effect: pools without servers cost next to nothing"},
    WithoutEffect{"sbuf_loopcnt", kFairReads},
    WithoutEffect{"server_check_query", kOwnValidation},
    WithoutEffect{"server_fast_close", "no effect: servers are closed when their session ends"},
    WithoutEffect{"server_round_robin", "no effect: the server used last is used first"},
    WithoutEffect{"service_name", "no effect: it is for Windows"},
    WithoutEffect{"suspend_timeout", "no effect: there is no SUSPEND"},
    WithoutEffect{"tcp_socket_buffer", "no effect: the system sizes socket buffers"},
    WithoutEffect{"track_extra_parameters",
                  "no effect: every parameter that a server reports is kept apart per client"},
    WithoutEffect{"verbose", "no effect: PGWEIR_LOG_LEVEL=debug makes the log louder"},
};

constexpr std::array kIniDatabase{
    WithoutEffect{"auth_dbname", kNoAuthQuery},
    WithoutEffect{"auth_query", kNoAuthQuery},
    WithoutEffect{"auth_user", kNoAuthQuery},
};

const WithoutEffect* find_in(std::span<const WithoutEffect> all, std::string_view key) {
  for (const WithoutEffect& one : all) {
    if (one.key == key) return &one;
  }
  return nullptr;
}

}  // namespace

const WithoutEffect* find_without_effect(Syntax syntax, Scope scope, std::string_view key) {
  switch (syntax) {
    case Syntax::Url: return find_in(kUrl, key);
    case Syntax::Toml: return find_in(kToml, key);
    case Syntax::Ini: break;
  }
  switch (scope) {
    case Scope::Process: return find_in(kIni, key);
    case Scope::Database: return find_in(kIniDatabase, key);
    case Scope::User: return nullptr;
  }
  return nullptr;
}

}  // namespace pgweir::config

#include "config/connection_parameters.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

namespace pgweir::config {

namespace {

using proxy::DatabaseOptions;
using proxy::ServerTls;
using proxy::SslMode;
using proxy::TlsVerify;

// libpq takes an empty value for "use the default", and its default is a file below $HOME. This
// path cannot exist, and libpq treats it as a file that is not there.
constexpr std::string_view kNoFile = "/dev/null/none";
// OpenSSL's bundle of the operating system; libpq 15 does not know `sslrootcert=system`.
constexpr std::string_view kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";

std::string_view ssl_mode(const ServerTls& tls) {
  if (tls.mode == SslMode::Disable) return "disable";
  if (tls.verify == TlsVerify::ChainAndHost) return "verify-full";
  if (tls.verify == TlsVerify::Chain) return "verify-ca";
  switch (tls.mode) {
    case SslMode::Disable: return "disable";
    case SslMode::Allow: return "allow";
    case SslMode::Prefer: return "prefer";
    case SslMode::Require: return "require";
    case SslMode::VerifyCa: return "verify-ca";
    case SslMode::VerifyFull: return "verify-full";
  }
  return "prefer";
}

std::string_view root_cert(const ServerTls& tls) {
  if (ssl_mode(tls).front() != 'v') return kNoFile;
  if (tls.root_cert == "system") return kSystemRoots;
  // Prisma's strict trusts the operating system's authorities unless told others.
  if (tls.root_cert.empty() && tls.accept == proxy::SslAccept::Strict) return kSystemRoots;
  return tls.root_cert;
}

std::string_view version_text(proxy::TlsVersion version) {
  switch (version) {
    case proxy::TlsVersion::Any: return "";
    case proxy::TlsVersion::V1_0: return "TLSv1";
    case proxy::TlsVersion::V1_1: return "TLSv1.1";
    case proxy::TlsVersion::V1_2: return "TLSv1.2";
    case proxy::TlsVersion::V1_3: return "TLSv1.3";
  }
  return "";
}

std::string_view binding_text(proxy::ChannelBinding binding) {
  switch (binding) {
    case proxy::ChannelBinding::Disable: return "disable";
    case proxy::ChannelBinding::Prefer: return "prefer";
    case proxy::ChannelBinding::Require: return "require";
  }
  return "prefer";
}

std::string_view session_text(proxy::TargetSession target) {
  switch (target) {
    case proxy::TargetSession::Any: return "any";
    case proxy::TargetSession::ReadWrite: return "read-write";
    case proxy::TargetSession::ReadOnly: return "read-only";
    case proxy::TargetSession::Primary: return "primary";
    case proxy::TargetSession::Standby: return "standby";
    case proxy::TargetSession::PreferStandby: return "prefer-standby";
  }
  return "any";
}

// The three lists that libpq reads side by side: one element per address to try.
struct AddressLists {
  std::string hosts;
  std::string addresses;
  std::string ports;
  int count = 0;

  void add(std::string_view host, std::string_view address, std::uint16_t port) {
    const std::string_view comma = count++ == 0 ? "" : ",";
    hosts += fmt::format("{}{}", comma, host);
    addresses += fmt::format("{}{}", comma, address);
    ports += fmt::format("{}{}", comma, port);
  }
};

AddressLists list_addresses(const DatabaseOptions& database,
                            const std::vector<std::vector<std::string>>& resolved) {
  AddressLists lists;
  for (std::size_t i = 0; i < database.hosts.size(); ++i) {
    const proxy::ServerAddress& server = database.hosts[i];
    if (server.is_unix())
      lists.add(server.host, "", server.port);
    else if (!server.address.empty())
      lists.add(server.host, server.address, server.port);
    else if (i < resolved.size())
      for (const std::string& address : resolved[i]) lists.add(server.host, address, server.port);
  }
  return lists;
}

void add_tls(ConnectionParameters& to, const ServerTls& tls) {
  auto& values = to.values;
  const auto or_none = [](const std::string& path) {
    return path.empty() ? std::string(kNoFile) : path;
  };
  values.emplace_back("sslmode", ssl_mode(tls));
  values.emplace_back("sslrootcert", root_cert(tls));
  values.emplace_back("sslcrl", or_none(tls.crl));
  values.emplace_back("sslcrldir", tls.crl_directory);
  values.emplace_back("sslcert", or_none(tls.cert));
  values.emplace_back("sslkey", or_none(tls.key));
  values.emplace_back("sslsni", tls.has_sni ? "1" : "0");
  values.emplace_back("ssl_min_protocol_version", version_text(tls.version_min));
  values.emplace_back("ssl_max_protocol_version", version_text(tls.version_max));
  if (!tls.key_password.empty()) to.secrets.emplace_back("sslpassword", tls.key_password);
  to.is_plain_if_refused =
      tls.verify != TlsVerify::None && (tls.mode == SslMode::Prefer || tls.mode == SslMode::Allow);
}

// connect_timeout is libpq's only where it blocks. A silent address among several must not use up
// the time of the others, so each SYN gets the same bound from the kernel.
void add_timeouts(ConnectionParameters& to, const DatabaseOptions& database, int address_count) {
  using std::chrono::milliseconds;
  milliseconds user_timeout = std::chrono::seconds(30);
  if (database.connect_timeout > base::Duration::zero())
    user_timeout =
        std::min(user_timeout, std::chrono::ceil<milliseconds>(database.connect_timeout));
  to.values.emplace_back("tcp_user_timeout", fmt::format("{}", user_timeout.count()));
  to.values.emplace_back("keepalives_idle", "60");
  to.values.emplace_back("keepalives_interval", "10");
  to.values.emplace_back("keepalives_count", "3");
  to.time_max = database.connect_timeout * address_count;
}

}  // namespace

std::string_view ConnectionParameters::find(std::string_view keyword) const {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& value) { return value.first == keyword; });
  return found == values.end() ? std::string_view() : std::string_view(found->second);
}

SpelledParameters::SpelledParameters(const ConnectionParameters& parameters) {
  for (const auto& [keyword, value] : parameters.values) {
    keywords_.push_back(keyword.c_str());
    values_.push_back(value.c_str());
  }
  revealed_.reserve(parameters.secrets.size());
  for (const auto& [keyword, secret] : parameters.secrets) {
    keywords_.push_back(keyword.c_str());
    values_.push_back(revealed_.emplace_back(secret.reveal()).c_str());
  }
  keywords_.push_back(nullptr);
  values_.push_back(nullptr);
}

SpelledParameters::~SpelledParameters() {
  for (std::string& text : revealed_) ::explicit_bzero(text.data(), text.size());
}

base::Result<ConnectionParameters> make_connection_parameters(
    const DatabaseOptions& database, std::string_view application_name,
    const std::vector<std::vector<std::string>>& addresses) {
  if (database.user.empty())
    return base::Error{
        base::ErrorCode::Configuration, base::Side::Self, base::Retry::Never,
        fmt::format("database \"{}\" names no user, so pgweir itself cannot log in to look at the "
                    "server's limits and health; give the database a user and a password",
                    database.name)};
  const AddressLists lists = list_addresses(database, addresses);
  if (lists.count == 0)
    return base::Error{base::ErrorCode::Unreachable, base::Side::Server,
                       base::Retry::BeforeFirstByteSent,
                       fmt::format("no host of database \"{}\" has an address", database.name)};

  ConnectionParameters parameters;
  auto& values = parameters.values;
  values.emplace_back("host", lists.hosts);
  values.emplace_back("hostaddr", lists.addresses);
  values.emplace_back("port", lists.ports);
  values.emplace_back("user", database.user);
  values.emplace_back("dbname", service_database(database));
  values.emplace_back("application_name", application_name);
  values.emplace_back("client_encoding", "UTF8");
  values.emplace_back("passfile", kNoFile);
  values.emplace_back("gssencmode", "disable");
  values.emplace_back("channel_binding", binding_text(database.channel_binding));
  values.emplace_back("target_session_attrs", session_text(database.target_session));
  // Some services route by `options` (endpoint=…); the other parameters are the clients'.
  for (const auto& [name, value] : database.startup_parameters)
    if (name == "options") values.emplace_back(name, value);
  add_tls(parameters, database.tls);
  add_timeouts(parameters, database, lists.count);
  if (!database.password.empty()) parameters.secrets.emplace_back("password", database.password);
  return parameters;
}

std::string_view limit_of_libpq(const DatabaseOptions& database) {
  // It would answer whatever it is asked for, a cleartext password included.
  if (database.auth_allowed != proxy::ServerAuth{}) return "libpq 15 does not keep to require_auth";
  if (!database.tls.pkcs12.empty()) return "libpq reads no PKCS #12 file (sslidentity)";
  return {};
}

std::string service_database(const DatabaseOptions& database) {
  if (!database.server_database.empty()) return database.server_database;
  return database.name == "*" ? "postgres" : database.name;
}

std::string describe_hosts(const DatabaseOptions& database) {
  std::string text;
  for (const proxy::ServerAddress& server : database.hosts) {
    if (!text.empty()) text += ", ";
    const bool is_ipv6 = server.host.find(':') != std::string::npos;
    text += is_ipv6 ? "[" + server.host + "]" : server.host;
    text += ":" + std::to_string(server.port);
  }
  return text;
}

}  // namespace pgweir::config

#include "server/tls.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/self_signed.h"

namespace pgweir::server {
namespace {

net::TlsVersion version_of(proxy::TlsVersion version, net::TlsVersion if_any) {
  switch (version) {
    case proxy::TlsVersion::Any: return if_any;
    case proxy::TlsVersion::V1_0: return net::TlsVersion::Tls10;
    case proxy::TlsVersion::V1_1: return net::TlsVersion::Tls11;
    case proxy::TlsVersion::V1_2: return net::TlsVersion::Tls12;
    case proxy::TlsVersion::V1_3: return net::TlsVersion::Tls13;
  }
  return if_any;
}

// PgBouncer's words for lists of its own; today OpenSSL's default is the better choice.
std::string cipher_list(const std::string& setting) {
  for (const std::string_view word : {"default", "secure", "fast", "normal"}) {
    if (setting == word) return {};
  }
  return setting == "all" ? "ALL" : setting;
}

net::TlsLimits limits_of(const auto& tls) {
  return {.version_min = version_of(tls.version_min, net::TlsVersion::Tls12),
          .version_max = version_of(tls.version_max, net::TlsVersion::Tls13),
          .ciphers = cipher_list(tls.ciphers),
          .ciphers_tls13 = tls.ciphers_tls13};
}

net::ClientTlsOptions server_side(const proxy::ServerTls& tls) {
  net::ClientTlsOptions options;
  switch (tls.verify) {
    case proxy::TlsVerify::None: options.verify = net::ClientTlsOptions::Verify::Nothing; break;
    case proxy::TlsVerify::Chain: options.verify = net::ClientTlsOptions::Verify::Authority; break;
    case proxy::TlsVerify::ChainAndHost:
      options.verify = net::ClientTlsOptions::Verify::AuthorityAndHost;
      break;
  }
  if (tls.root_cert != "system") options.authority_file = tls.root_cert;
  options.revocation_file = tls.crl;
  options.revocation_directory = tls.crl_directory;
  options.certificate_file = tls.cert;
  options.key_file = tls.key;
  options.pkcs12_file = tls.pkcs12;
  options.key_password = tls.key_password;
  options.limits = limits_of(tls);
  return options;
}

net::ServerTlsOptions client_side(const config::ClientTlsOptions& tls) {
  using Certificate = net::ServerTlsOptions::ClientCertificate;
  net::ServerTlsOptions options;
  options.certificate_file = tls.cert_file;
  options.key_file = tls.key_file;
  options.client_authority_file = tls.ca_file;
  if (tls.mode == proxy::SslMode::VerifyCa || tls.mode == proxy::SslMode::VerifyFull) {
    options.client_certificate = Certificate::Require;
  } else if (!tls.ca_file.empty()) {
    options.client_certificate = Certificate::VerifyIfGiven;
  }
  options.limits = limits_of(tls);
  return options;
}

// The contexts of one configuration. A context holds all the authorities that it trusts, which is
// most of a megabyte with those of the system, so databases with equal options have one.
class ServerContexts {
 public:
  using Context = std::shared_ptr<const net::TlsContext>;
  base::Result<Context> find_or_make(net::ClientTlsOptions options) {
    const auto at = std::find_if(made_.begin(), made_.end(),
                                 [&](const auto& made) { return made.first == options; });
    if (at != made_.end()) return at->second;
    Context context = TRY(net::TlsContext::for_servers(options));
    made_.emplace_back(std::move(options), context);
    return context;
  }

 private:
  std::vector<std::pair<net::ClientTlsOptions, Context>> made_;  // Few: they are searched in turn.
};

}  // namespace

base::Result<DaemonTls> make_tls(const config::Config& config, const std::string& state_directory) {
  DaemonTls made;
  if (config.client_tls.mode != proxy::SslMode::Disable) {
    net::ServerTlsOptions options = client_side(config.client_tls);
    if (options.certificate_file.empty()) {
      const net::CertificateFiles files = TRY(net::ensure_self_signed(state_directory));
      options.certificate_file = files.certificate_file;
      options.key_file = files.key_file;
      made.is_self_signed = true;
    }
    made.clients = TRY(net::TlsContext::for_clients(options));
  }
  ServerContexts contexts;
  for (const proxy::DatabaseOptions& database : config.proxy.databases) {
    auto context = contexts.find_or_make(server_side(database.tls));
    if (!context) {
      base::Error error = context.error();
      error.context = fmt::format("database \"{}\": {}", database.name, error.context);
      return error;
    }
    made.servers.push_back(std::move(*context));
  }
  return made;
}

}  // namespace pgweir::server

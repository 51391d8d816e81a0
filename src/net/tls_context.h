// TlsContext: what all handshakes of one kind have in common: certificate, trust, versions. Made
// once per listener or server TLS configuration, never per connection or database, and shared by
// threads. Source of truth: PostgreSQL's be-secure-openssl.c and fe-secure-openssl.c for behaviour.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/io.h"
#include "base/result.h"
#include "base/secret.h"

struct ssl_ctx_st;

namespace pgweir::net {

class TlsStream;

enum class TlsVersion : std::uint8_t { Tls10, Tls11, Tls12, Tls13 };

struct TlsLimits {
  TlsVersion version_min = TlsVersion::Tls12;
  TlsVersion version_max = TlsVersion::Tls13;
  std::string ciphers;  // OpenSSL's cipher list for TLS 1.2 and below; empty: OpenSSL's default.
  std::string ciphers_tls13;  // Its cipher suites for TLS 1.3; empty: OpenSSL's default.
  friend bool operator==(const TlsLimits&, const TlsLimits&) = default;
};

// Files are PEM unless said otherwise; an empty name means "none".
struct ServerTlsOptions {
  // Whether clients show a certificate. One that is shown must be valid in both Verify modes.
  enum class ClientCertificate : std::uint8_t { Ignore, VerifyIfGiven, Require };
  std::string certificate_file;  // Ours, with the chain to its authority.
  std::string key_file;
  std::string client_authority_file;
  ClientCertificate client_certificate = ClientCertificate::Ignore;
  TlsLimits limits;
};

struct ClientTlsOptions {
  enum class Verify : std::uint8_t { Nothing, Authority, AuthorityAndHost };
  Verify verify = Verify::Nothing;
  std::string authority_file;  // Empty: the authorities that this system trusts.
  std::string revocation_file;
  std::string revocation_directory;  // Of revocation lists, named as openssl-rehash(1) does.
  std::string certificate_file;      // Ours, to show to the server.
  std::string key_file;
  std::string pkcs12_file;  // Ours, certificate and key in one (in place of the two above).
  base::Secret key_password;
  TlsLimits limits;
  friend bool operator==(const ClientTlsOptions&, const ClientTlsOptions&) = default;
};

class TlsContext final : public base::TlsSetup {
 public:
  // Errors: Configuration, naming the file and what is wrong with it.
  static base::Result<std::shared_ptr<const TlsContext>> for_clients(
      const ServerTlsOptions& options);
  static base::Result<std::shared_ptr<const TlsContext>> for_servers(
      const ClientTlsOptions& options);

  // The TLS state of one connection, ready for its handshake.
  std::unique_ptr<TlsStream> make_stream(const base::TlsRequest& request) const;

  // tls-server-end-point of our own certificate: for SCRAM-SHA-256-PLUS towards clients.
  base::ByteBuffer own_certificate_hash() const;

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
  bool verifies_host_ = false;
};

}  // namespace pgweir::net

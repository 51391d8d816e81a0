#include "net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "net/certificate.h"
#include "net/openssl_handles.h"
#include "net/tls_error.h"
#include "net/tls_stream.h"

namespace pgweir::net {
namespace {

using Context = std::shared_ptr<SSL_CTX>;

// ALPN's wire form: a length and the name. PostgreSQL 17 calls it PG_ALPN_PROTOCOL_VECTOR.
constexpr std::string_view kAlpn = "\x0apostgresql";

base::Error unusable(std::string_view what, std::string_view text, std::string_view why) {
  return {.code = base::ErrorCode::Configuration,
          .context = fmt::format("cannot use {} \"{}\": {}", what, text, why)};
}

// OpenSSL's word for a file that cannot be read is "system lib".
base::Error bad_file(std::string_view what, const std::string& file) {
  const std::string why = take_openssl_error();
  const bool is_readable = ::access(file.c_str(), R_OK) == 0;
  return unusable(what, file, is_readable ? why : std::strerror(errno));
}

int version_number(TlsVersion version) {
  switch (version) {
    case TlsVersion::Tls10: return TLS1_VERSION;
    case TlsVersion::Tls11: return TLS1_1_VERSION;
    case TlsVersion::Tls12: return TLS1_2_VERSION;
    case TlsVersion::Tls13: return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

const unsigned char* as_unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Takes "postgresql" from what the client offers. PostgreSQL refuses a client that offers only
// other protocols, since that hints at a cross-protocol attack (ALPACA).
// OpenSSL has it take six parameters.
// NOLINTNEXTLINE(readability-function-size)
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_bytes,
                const unsigned char* offered, unsigned offered_bytes, void*) {
  unsigned char* chosen = nullptr;
  const int outcome =
      SSL_select_next_proto(&chosen, out_bytes, as_unsigned(kAlpn),
                            static_cast<unsigned>(kAlpn.size()), offered, offered_bytes);
  *out = chosen;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Fills OpenSSL's buffer with the key's password; `user` is the Secret.
int give_password(char* buffer, int bytes_max, int, void* user) {
  const std::string_view password = static_cast<const base::Secret*>(user)->reveal();
  if (std::cmp_greater(password.size(), bytes_max)) return 0;
  std::memcpy(buffer, password.data(), password.size());
  return static_cast<int>(password.size());
}

base::Result<Context> make_context(const SSL_METHOD* method, const TlsLimits& limits) {
  ERR_clear_error();
  Context context(SSL_CTX_new(method), SSL_CTX_free);
  if (context == nullptr) {
    return base::Error{.context = "cannot set up TLS: " + take_openssl_error()};
  }
  SSL_CTX_set_keylog_callback(context.get(), TlsStream::note_secret);
  // An idle connection gives its 32 KB of record buffers back.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  // PostgreSQL's clients never resume, so sessions and tickets would be work for nobody.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (SSL_CTX_set_min_proto_version(context.get(), version_number(limits.version_min)) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version_number(limits.version_max)) != 1) {
    return base::Error{.code = base::ErrorCode::Configuration,
                       .context = "OpenSSL does not support these TLS versions"};
  }
  if (!limits.ciphers.empty() &&
      SSL_CTX_set_cipher_list(context.get(), limits.ciphers.c_str()) != 1) {
    return unusable("the cipher list", limits.ciphers, take_openssl_error());
  }
  if (!limits.ciphers_tls13.empty() &&
      SSL_CTX_set_ciphersuites(context.get(), limits.ciphers_tls13.c_str()) != 1) {
    return unusable("the cipher suites of TLS 1.3", limits.ciphers_tls13, take_openssl_error());
  }
  return context;
}

base::Status use_certificate(SSL_CTX& context, const std::string& certificate,
                             const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(&context, certificate.c_str()) != 1) {
    return bad_file("the certificate", certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(&context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return bad_file("the private key", key);
  }
  if (SSL_CTX_check_private_key(&context) != 1) return bad_file("certificate and key", key);
  return base::success();
}

base::Status use_pkcs12(SSL_CTX& context, const std::string& file, const base::Secret& password) {
  const BioHandle input(BIO_new_file(file.c_str(), "rb"));
  const Pkcs12Handle bundle(input ? d2i_PKCS12_bio(input.get(), nullptr) : nullptr);
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* chain = nullptr;
  if (bundle == nullptr || PKCS12_parse(bundle.get(), std::string(password.reveal()).c_str(), &key,
                                        &certificate, &chain) != 1) {
    return bad_file("the PKCS#12 file", file);
  }
  const KeyHandle key_owner(key);
  const CertificateHandle certificate_owner(certificate);
  const bool is_used = SSL_CTX_use_cert_and_key(&context, certificate, key, chain, 1) == 1;
  sk_X509_pop_free(chain, X509_free);
  if (!is_used) return bad_file("the PKCS#12 file", file);
  return base::success();
}

// What is trusted, and where lists say that it is not any more.
struct Trust {
  std::string authority = {};
  std::string revocation_file = {};
  std::string revocation_directory = {};
};

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

base::Status set_trust(SSL_CTX& context, const Trust& trust) {
  const auto& [authority, revocation_file, revocation_directory] = trust;
  if (authority.empty()) {
    SSL_CTX_set_default_verify_paths(&context);
  } else if (SSL_CTX_load_verify_locations(&context, authority.c_str(), nullptr) != 1) {
    return bad_file("the file of certificate authorities", authority);
  }
  if (revocation_file.empty() && revocation_directory.empty()) return base::success();
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  if (X509_STORE_load_locations(store, or_null(revocation_file), or_null(revocation_directory)) !=
      1) {
    return bad_file("the revocation list",
                    revocation_file.empty() ? revocation_directory : revocation_file);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return base::success();
}

base::Status ask_for_certificates(SSL_CTX& context, const ServerTlsOptions& options) {
  using Ask = ServerTlsOptions::ClientCertificate;
  if (options.client_certificate == Ask::Ignore) return base::success();
  TRY(set_trust(context, {.authority = options.client_authority_file}));
  // Clients choose a certificate by the authorities' names that we send.
  if (!options.client_authority_file.empty()) {
    SSL_CTX_set_client_CA_list(&context,
                               SSL_load_client_CA_file(options.client_authority_file.c_str()));
  }
  const bool is_required = options.client_certificate == Ask::Require;
  SSL_CTX_set_verify(
      &context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return base::success();
}

}  // namespace

base::Result<std::shared_ptr<const TlsContext>> TlsContext::for_clients(
    const ServerTlsOptions& options) {
  Context context = TRY(make_context(TLS_server_method(), options.limits));
  TRY(use_certificate(*context, options.certificate_file, options.key_file));
  TRY(ask_for_certificates(*context, options));
  SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, nullptr);
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(context)));
}

base::Result<std::shared_ptr<const TlsContext>> TlsContext::for_servers(
    const ClientTlsOptions& options) {
  using Verify = ClientTlsOptions::Verify;
  Context context = TRY(make_context(TLS_client_method(), options.limits));
  base::Secret password = options.key_password;
  SSL_CTX_set_default_passwd_cb(context.get(), give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), &password);
  if (!options.pkcs12_file.empty()) {
    TRY(use_pkcs12(*context, options.pkcs12_file, password));
  } else if (!options.certificate_file.empty()) {
    TRY(use_certificate(*context, options.certificate_file, options.key_file));
  }
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), nullptr);
  if (options.verify != Verify::Nothing) {
    TRY(set_trust(*context, {.authority = options.authority_file,
                             .revocation_file = options.revocation_file,
                             .revocation_directory = options.revocation_directory}));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX_set_alpn_protos(context.get(), as_unsigned(kAlpn), static_cast<unsigned>(kAlpn.size()));
  std::shared_ptr<TlsContext> made(new TlsContext(std::move(context)));
  made->verifies_host_ = options.verify == Verify::AuthorityAndHost;
  return std::shared_ptr<const TlsContext>(std::move(made));
}

std::unique_ptr<TlsStream> TlsContext::make_stream(const base::TlsRequest& request) const {
  return std::make_unique<TlsStream>(*context_, request, verifies_host_);
}

base::ByteBuffer TlsContext::own_certificate_hash() const {
  const X509* certificate = SSL_CTX_get0_certificate(context_.get());
  return certificate == nullptr ? base::ByteBuffer{} : certificate_hash(*certificate);
}

}  // namespace pgweir::net

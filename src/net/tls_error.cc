#include "net/tls_error.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "net/openssl_handles.h"

namespace pgweir::net {
namespace {

std::string describe_verification(long result, const std::string& peer, const std::string& host) {
  const char* detail = X509_verify_cert_error_string(result);
  switch (result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("{}'s certificate is not signed by a known authority ({})", peer, detail);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("{}'s certificate is valid, but not for \"{}\"", peer, host);
    case X509_V_ERR_CERT_HAS_EXPIRED: return fmt::format("{}'s certificate has expired", peer);
    case X509_V_ERR_CERT_REVOKED: return fmt::format("{}'s certificate is revoked", peer);
    default: return fmt::format("{}'s certificate was refused ({})", peer, detail);
  }
}

std::string describe_reason(unsigned long error, const std::string& peer) {
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER: return fmt::format("{} does not speak TLS here", peer);
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
      return fmt::format("{} and we have no TLS version in common", peer);
    case SSL_R_NO_SHARED_CIPHER: return fmt::format("{} and we have no cipher in common", peer);
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return fmt::format("{} does not know the authority of our certificate", peer);
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return fmt::format("{} requires a certificate from us", peer);
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return fmt::format("{} sent no certificate, and one is required", peer);
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return fmt::format("{} and we have no ALPN protocol in common (\"postgresql\")", peer);
    default: break;
  }
  const char* words = ERR_reason_error_string(error);
  return words == nullptr ? fmt::format("{} broke the TLS protocol", peer) : words;
}

}  // namespace

std::string describe_tls_failure(const ssl_st& ssl, const std::string& peer,
                                 const std::string& host) {
  const unsigned long error = ERR_peek_error();
  const bool is_verification =
      ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  ERR_clear_error();
  if (is_verification) return describe_verification(SSL_get_verify_result(&ssl), peer, host);
  return describe_reason(error, peer);
}

std::string describe_tls_alert(unsigned alert, const std::string& peer) {
  const auto reason = static_cast<int>(SSL_AD_REASON_OFFSET + alert);
  return describe_reason(ERR_PACK(ERR_LIB_SSL, 0, reason), peer);
}

std::string name_tls_alert(unsigned alert) {
  return SSL_alert_desc_string_long(static_cast<int>(alert));
}

std::string take_openssl_error() {
  const unsigned long error = ERR_peek_last_error();
  const char* words = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return words == nullptr ? "unknown error" : words;
}

}  // namespace pgweir::net

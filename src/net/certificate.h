// What a certificate says, as far as PostgreSQL authentication needs it. Verifying is OpenSSL's.
#pragma once

#include <string>

#include "base/bytes.h"

struct x509_st;

namespace pgweir::net {

// The channel binding data tls-server-end-point (RFC 5929, 4.1): the certificate's hash with the
// hash function of its signature, SHA-256 in place of MD5 and SHA-1. Empty where the signature has
// none (Ed25519): such a certificate allows no channel binding.
base::ByteBuffer certificate_hash(const x509_st& certificate);

// The common name of the subject, or empty: none, or one with a zero byte (CVE-2009-4034).
std::string common_name(const x509_st& certificate);

}  // namespace pgweir::net

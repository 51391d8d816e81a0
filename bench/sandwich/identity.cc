#include "identity.h"

#include <utility>

#include "base/bytes.h"

namespace pgweir::bench {

auth::ServerAuthenticator Identity::make_authenticator(const base::TlsInfo* tls) {
  auth::ServerAuthOptions options;
  options.user = user_;
  options.credential = password_;
  options.cache = &cache_;
  options.is_tls = tls != nullptr;
  if (tls != nullptr) options.tls_binding = tls->peer_certificate_hash;
  base::ByteWriter nonce(options.nonce);
  while (options.nonce.size() < auth::kServerNonceBytesMin) {
    nonce.u32(static_cast<std::uint32_t>(nonces_.next()));
  }
  return auth::ServerAuthenticator(std::move(options));
}

}  // namespace pgweir::bench

// The server's end of SCRAM. Lines: mechanism, client-first-message, client-final-message. Who does
// not know the password must not come in, whatever is sent.
#include "auth/scram_server.h"
#include "base/assert.h"
#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

auth::ScramVerifier a_verifier() {
  const base::ByteBuffer salt(16, std::byte{1});
  return auth::make_scram_verifier(auth::derive_scram_keys(base::Secret("pencil"), salt, 1), salt,
                                   1);
}

void fuzz_scram_server(base::Bytes input) {
  static const auth::ScramVerifier kVerifier = a_verifier();
  const std::string_view mechanism = base::as_text(take_line(input));
  const base::Bytes first = take_line(input);
  const base::Bytes last = take_line(input);
  const bool has_tls = mechanism.ends_with("PLUS");
  auth::ScramServer server(
      {.secret = &kVerifier,
       .tls_binding = has_tls ? base::ByteBuffer(32, std::byte{2}) : base::ByteBuffer(),
       .nonce = "server"});
  if (!server.handle_first(mechanism, first).has_value()) return;
  const auto reply = server.handle_final(last);
  ASSERT(!reply.has_value() || !reply->has_value());
}

const Registration kRegistered("scram_server", fuzz_scram_server);

}  // namespace
}  // namespace pgweir::fuzz

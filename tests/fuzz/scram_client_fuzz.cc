// The client's end of SCRAM. Lines: server-first-message, server-final-message. A server that does
// not know the verifier must not be believed, whatever it sends.
#include <array>

#include "auth/scram_client.h"
#include "auth/scram_exchange.h"
#include "base/assert.h"
#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

void fuzz_scram_client(base::Bytes input) {
  // Keys instead of a password, so that no time goes into stretching one.
  static const auth::ScramKeys kKeys =
      auth::derive_scram_keys(base::Secret("pencil"), base::as_bytes("salt"), 1);
  auth::ScramClient client({.secret = kKeys,
                            .channel_binding = auth::ChannelBinding::Prefer,
                            .is_tls = false,
                            .tls_binding = {},
                            .nonce = "client",
                            .cache = nullptr});
  ASSERT(client.start(std::array{auth::kScramSha256}).has_value());
  const base::Bytes challenge = take_line(input);
  const base::Bytes last = take_line(input);
  if (!client.handle_continue(challenge).has_value()) return;
  ASSERT(!client.handle_final(last).has_value());
}

const Registration kRegistered("scram_client", fuzz_scram_client);

}  // namespace
}  // namespace pgweir::fuzz

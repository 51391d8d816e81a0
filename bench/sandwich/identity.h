// Identity: who the played clients say they are, and what they prove it with. All of them share it,
// so that the PBKDF2 of their one password is done once and a login costs its player little.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/salted_password_cache.h"
#include "auth/server_authenticator.h"
#include "base/io.h"
#include "base/rng.h"
#include "base/secret.h"

namespace pgweir::bench {

class Identity {
 public:
  Identity(std::string user, std::string_view password)
      : user_(std::move(user)), password_(password) {}

  const std::string& user() const { return user_; }
  // For one login. tls: of its connection; null: it is in the clear.
  auth::ServerAuthenticator make_authenticator(const base::TlsInfo* tls);

 private:
  const std::string user_;
  const base::Secret password_;
  auth::SaltedPasswordCache cache_;
  base::Rng nonces_{1};  // Nobody listens in, and runs are alike.
};

}  // namespace pgweir::bench

// Decoys: what an unknown user pretends to have stored, so that a login as one is the same messages
// and the same work as a login with a wrong password. Whoever is refused has cost the same hashes,
// known or not; nothing is hashed ahead of time, and nothing is kept for a name nobody has.
#pragma once

#include <cstddef>
#include <string_view>

#include "auth/credential.h"
#include "base/secret.h"

namespace pgweir::auth {

// Which of `count` listed users an unknown one plays: always the same for a name, and all of them
// equally often, so that names that are not in the list show the same mixture of secrets as those
// that are. REQUIRES: count > 0.
std::size_t choose_model(const base::Secret& process_secret, std::string_view user,
                         std::size_t count);

// A credential of the model's form that nobody can know. It depends on nothing secret of the model.
Credential make_decoy(const Credential& model, const base::Secret& process_secret,
                      std::string_view user);

}  // namespace pgweir::auth

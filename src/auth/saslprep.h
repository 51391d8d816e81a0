// SASLprep: the form of a password that SCRAM hashes, so that equal-looking passwords are equal.
// Source of truth: RFC 4013; PostgreSQL's pg_saslprep() for what is done when it does not apply.
#pragma once

#include "base/secret.h"

namespace pgweir::auth {

// The prepared password; the password as it is when it is pure ASCII, is not valid UTF-8, holds
// what SASLprep forbids, or would come out empty. So does PostgreSQL, on both ends.
base::Secret prepare_password(const base::Secret& password);

}  // namespace pgweir::auth

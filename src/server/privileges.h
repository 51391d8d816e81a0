// Privileges: becoming another user of the system when started as root (run_as).
#pragma once

#include <string>

#include "base/result.h"

namespace pgweir::server {

// Takes on the user's name, groups and rights, for good. Nothing to do where we are that user.
// Errors: Configuration, saying what is wrong with the name or with us.
base::Status become(const std::string& user);

}  // namespace pgweir::server

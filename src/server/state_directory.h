// The state directory: where a daemon keeps what it makes itself (a certificate, tokens).
#pragma once

#include <string>

#include "base/result.h"

namespace pgweir::server {

// The configured one, else $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/pgweir, else .pgweir in
// the working directory; made (0700) if it is not there.
// Errors: System, naming the directory.
base::Result<std::string> ensure_state_directory(const std::string& configured);

}  // namespace pgweir::server

// A self-signed certificate for TLS out of the box: made once, kept as files, used again. It hides
// traffic from onlookers; it proves nothing, so verify-full against it needs the file itself.
#pragma once

#include <string>

#include "base/result.h"

namespace pgweir::net {

struct CertificateFiles {
  std::string certificate_file;
  std::string key_file;
  bool is_new = false;
};

// The files pgweir.crt and pgweir.key (mode 0600) in `directory`, which must exist. They are made
// when missing, unreadable, not a pair, or expired: ECDSA P-256, 10 years, for localhost,
// 127.0.0.1,
// ::1 and this machine's name.
// Errors: System, naming the file.
base::Result<CertificateFiles> ensure_self_signed(const std::string& directory);

}  // namespace pgweir::net

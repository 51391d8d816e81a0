// Drafts: options while they are being written, with those texts that mean something only together
// with others. finish.h turns them into options; nobody outside of config sees them.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace pgweir::config {

struct ProcessDraft : Config {
  std::string auth_file;
};

struct DatabaseDraft : proxy::DatabaseOptions {
  // Lists of equal length, or a single port for all, as libpq has them.
  std::string host_list;
  std::string address_list;
  std::string port_list;

  std::string application_name_fallback;
  bool has_libpq_root = false;    // The root certificate came as libpq's sslrootcert.
  bool has_set_sslmode = false;   // Not the default.
  bool is_cert_withheld = false;  // sslcertmode=disable.
};

struct UserDraft : proxy::UserOptions {};

}  // namespace pgweir::config

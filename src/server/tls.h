// TLS of the daemon: the contexts for clients and for each configured database, made of the
// options. Handshakes are net/'s.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"
#include "net/tls_context.h"

namespace pgweir::server {

struct DaemonTls {
  net::TlsContexts contexts;  // servers: in the order of Config::proxy.databases.
  bool is_self_signed = false;
};

// Errors: Configuration or System, naming the file.
base::Result<DaemonTls> make_tls(const config::Config& config, const std::string& state_directory);

}  // namespace pgweir::server

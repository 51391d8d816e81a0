// TLS of the daemon: the context for clients and those for servers, made of the options; databases
// with equal options share one. Handshakes are net/'s.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/tls_context.h"

namespace pgweir::server {

struct DaemonTls {
  std::shared_ptr<const net::TlsContext> clients;              // Null: TLS is not offered to them.
  std::vector<std::shared_ptr<const base::TlsSetup>> servers;  // As Config::proxy.databases.
  bool is_self_signed = false;
};

// Errors: Configuration or System, naming the file.
base::Result<DaemonTls> make_tls(const config::Config& config, const std::string& state_directory);

}  // namespace pgweir::server

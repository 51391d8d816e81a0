// The listening sockets of the daemon, as configured.
#pragma once

#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/listener.h"

namespace pgweir::server {

// Of clients' connections and of servers' alike.
net::SocketOptions socket_options(const config::TcpOptions& tcp);

// Errors: Configuration, naming the address and what to do.
base::Result<std::vector<net::Listener>> open_listeners(const config::Config& config);

}  // namespace pgweir::server

// HttpServer: carries requests to a Router and replies back, on a thread of its own (HTTP/1.1,
// RFC 9112). It serves snapshots only, so nothing a peer does here can slow a reactor; what is
// slow, big or malformed is cut off. No TLS: it belongs on loopback or behind something that has
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "config/options.h"
#include "gateway/snapshot.h"
#include "obs/log.h"

namespace pgweir::gateway {

struct HttpLimits {
  base::Duration request_max = std::chrono::seconds(5);  // First byte to the reply's last one.
  base::Duration idle_max = std::chrono::seconds(30);    // Between two requests of a connection.
  std::size_t connection_count_max = 256;
  std::uint32_t header_bytes_max = 8 * 1024;
  std::uint64_t body_bytes_max = 64 * 1024;
};

class HttpServer {
 public:
  // source, log: outlive the server.
  HttpServer(const config::HttpOptions& options, HttpLimits limits, const SnapshotSource& source,
             obs::Log& log);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // Stops.

  // Binds and starts the thread; called once. A host that means several addresses ("localhost")
  // listens on each that this machine has; "*" on all. A host that is off starts nothing. Errors:
  // System, naming the address, when it cannot be bound or resolved.
  base::Status start();

  // Closes everything and joins the thread. Without effect when it does not run.
  void stop();

  // The bound port, for configured port 0. REQUIRES: start() succeeded and HTTP is not off.
  std::uint16_t port() const;

 private:
  class Impl;  // Beast and Asio stay out of this header.
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgweir::gateway

// http_server: HTTP/1.1 by Boost.Beast: accepts connections, gives each request to a handler on one
// of a few threads, and sends what it answers. It knows nothing of what is asked for.
#pragma once

#include <atomic>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <functional>

namespace clinic {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;
using Handler = std::function<Response(const Request&)>;

struct ServerOptions {
  std::uint16_t port = 8080;  // Of the loopback; 0: any that is free.
  unsigned thread_count = 16;
};

// Serves until `stops` is true, which is looked at four times a second; what has been accepted by
// then is answered. `ready` is told the port once it listens. The handler is called by several
// threads at once and does not throw. Errors: std::system_error, when it cannot listen.
void serve(const ServerOptions& options, const Handler& handler, const std::atomic<bool>& stops,
           const std::function<void(std::uint16_t port)>& ready);

}  // namespace clinic

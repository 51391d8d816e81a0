// HttpConnection: one accepted socket of the HttpServer, from the first byte to the last. Internal
// to the gateway, and its only header that shows Asio. Everything here runs on the server's thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <string>

#include "gateway/events.h"
#include "gateway/http_server.h"
#include "gateway/router.h"
#include "obs/log.h"

namespace pgweir::gateway {

// What the connections share; all of it outlives them.
struct HttpContext {
  const HttpLimits limits;
  const Router router;
  obs::Log& log;
  std::size_t connection_count = 0;  // Those that are alive, refused ones too.
};

// "127.0.0.1:6433" or "[::1]:6433".
std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint);

// Answers the requests of the connection until it ends. Returns at once: the connection lives in
// the handlers that it waits with, and goes with the io_context at the latest.
void serve_connection(boost::asio::ip::tcp::socket socket, HttpContext& context);

// Answers with a refusal before anything was asked, and closes. status: as in refusal().
void refuse_connection(boost::asio::ip::tcp::socket socket, HttpContext& context, unsigned status,
                       CutOff reason);

}  // namespace pgweir::gateway

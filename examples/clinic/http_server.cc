#include "http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace clinic {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::size_t kBodyBytesMax = 64 * 1024;
constexpr auto kClientMax = std::chrono::seconds(10);  // To say its request, to take its answer.
constexpr auto kLookPeriod = std::chrono::milliseconds(250);

// One connection with one request. Reading and writing are the io_context's, which never waits; the
// handler, which waits for the database, has a thread of its own meanwhile.
class Visit : public std::enable_shared_from_this<Visit> {
 public:
  Visit(tcp::socket socket, asio::thread_pool& threads, const Handler& handler)
      : stream_(std::move(socket)), threads_(threads), handler_(handler) {
    parser_.body_limit(kBodyBytesMax);
  }

  void begin() {
    stream_.expires_after(kClientMax);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](beast::error_code failed, std::size_t) {
                       if (!failed) self->handle();
                     });
  }

 private:
  void handle() {
    asio::post(threads_, [self = shared_from_this()] {
      self->response_ = self->handler_(self->parser_.get());
      self->response_.keep_alive(false);
      self->response_.prepare_payload();
      asio::post(self->stream_.get_executor(), [self] { self->answer(); });
    });
  }

  void answer() {
    stream_.expires_after(kClientMax);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code, std::size_t) {
                        beast::error_code ignored;
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                      });
  }

  beast::tcp_stream stream_;
  asio::thread_pool& threads_;
  const Handler& handler_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  Response response_;
};

void accept_next(tcp::acceptor& acceptor, asio::thread_pool& threads, const Handler& handler) {
  acceptor.async_accept([&](beast::error_code failed, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (!failed) std::make_shared<Visit>(std::move(socket), threads, handler)->begin();
    accept_next(acceptor, threads, handler);
  });
}

}  // namespace

void serve(const ServerOptions& options, const Handler& handler, const std::atomic<bool>& stops,
           const std::function<void(std::uint16_t port)>& ready) {
  asio::io_context context(1);
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), options.port});
  asio::thread_pool threads(options.thread_count);
  accept_next(acceptor, threads, handler);
  ready(acceptor.local_endpoint().port());
  while (!stops) context.run_for(kLookPeriod);
  acceptor.close();
  context.run();  // Ends once the last visit has.
  threads.join();
}

}  // namespace clinic

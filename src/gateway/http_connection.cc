// A connection reads a request, writes its reply and begins again. It keeps itself alive through
// the handler that it waits with: no handler, no connection.
#include "gateway/http_connection.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace pgweir::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using obs::kv;

// An IPv4 address that came to a socket for both families looks like "::ffff:192.0.2.7".
std::string local_address_of(const tcp::socket& socket) {
  error_code error;
  const asio::ip::address address = socket.local_endpoint(error).address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

// What ends a read early: the status to refuse with, or 0 where the socket is closed already.
struct ReadFailure {
  unsigned status;
  CutOff reason;
};

// Nothing when the peer just went away.
std::optional<ReadFailure> failure_of(error_code error) {
  if (error == beast::error::timeout) return ReadFailure{0, CutOff::Timeout};
  if (error == http::error::header_limit) return ReadFailure{431, CutOff::HeaderTooLarge};
  if (error == http::error::buffer_overflow) return ReadFailure{431, CutOff::HeaderTooLarge};
  if (error == http::error::body_limit) return ReadFailure{413, CutOff::BodyTooLarge};
  const bool is_gone = error == http::error::end_of_stream || error == http::error::partial_message;
  const auto& http_errors = http::make_error_code(http::error::bad_method).category();
  if (is_gone || error.category() != http_errors) return std::nullopt;
  return ReadFailure{400, CutOff::Malformed};
}

http::response<http::string_body> response_of(Reply reply, unsigned version, bool is_head) {
  http::response<http::string_body> response{http::int_to_status(reply.status), version};
  const auto set = [&response](http::field field, std::string_view value) {
    response.set(field, beast::string_view(value.data(), value.size()));
  };
  set(http::field::content_type, reply.content_type);
  set(http::field::date,
      fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(
                                                      std::chrono::system_clock::now()))));
  set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy",
               "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Referrer-Policy", "no-referrer");
  if (!reply.allow.empty()) set(http::field::allow, reply.allow);
  response.content_length(reply.body.size());
  if (!is_head) response.body() = std::move(reply.body);
  return response;
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, HttpContext& context)
      : local_address_(local_address_of(socket)), stream_(std::move(socket)), context_(context) {
    error_code error;
    const tcp::endpoint peer = stream_.socket().remote_endpoint(error);
    if (!error) peer_ = text_of(peer);
    ++context_.connection_count;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { --context_.connection_count; }

  // The first request must come at once: whoever connects has something to ask.
  void start() { wait_for_request(context_.limits.request_max); }

  // Answers before anything was asked, and closes.
  void refuse(unsigned status, CutOff reason) {
    report(reason);
    stream_.expires_after(context_.limits.request_max);
    send(refusal(status), 11, false, false);
  }

 private:
  // Waits for the first byte and starts the request's clock then, so that a request has as long as
  // its connection was idle, and no longer however slowly its bytes drip.
  void wait_for_request(base::Duration idle_max) {
    if (buffer_.size() != 0) return read_request();  // A pipelined one is here already.
    stream_.expires_after(idle_max);
    stream_.async_read_some(buffer_.prepare(kReadBytes), [self = shared_from_this()](
                                                             error_code error, std::size_t bytes) {
      if (error) return;  // Closed, or idle for too long: nothing was asked, nothing is said.
      self->buffer_.commit(bytes);
      self->read_request();
    });
  }

  void read_request() {
    stream_.expires_after(context_.limits.request_max);
    parser_.emplace();
    parser_->header_limit(context_.limits.header_bytes_max);
    parser_->body_limit(context_.limits.body_bytes_max);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t /*bytes*/) {
                       self->handle_request(error);
                     });
  }

  void handle_request(error_code error) {
    if (error) {
      const std::optional<ReadFailure> failure = failure_of(error);
      if (!failure) return;
      report(failure->reason);
      if (failure->status != 0) send(refusal(failure->status), 11, false, false);
      return;
    }
    const auto& message = parser_->get();
    const bool is_http10 = message.version() < 11;
    // Two Host lines would let two readers of one request disagree about it (RFC 9112, 3.2).
    const bool is_ambiguous = message.count(http::field::host) > 1;
    const Request request{.method = view_of(message.method_string()),
                          .target = view_of(message.target()),
                          .host = view_of(message[http::field::host]),
                          .local_address = local_address_,
                          .is_http10 = is_http10};
    Reply reply = is_ambiguous ? refusal(400)
                               : context_.router.answer(request, std::chrono::system_clock::now());
    send(std::move(reply), message.version(), message.method() == http::verb::head,
         message.keep_alive() && !is_ambiguous);
  }

  void send(Reply reply, unsigned version, bool is_head, bool is_kept) {
    context_.log.event(kHttpAnswered, {kv("status", std::to_string(reply.status))});
    response_ = response_of(std::move(reply), version, is_head);
    response_.keep_alive(is_kept);
    http::async_write(
        stream_, response_,
        [self = shared_from_this(), is_kept](error_code error, std::size_t /*bytes*/) {
          if (error == beast::error::timeout) self->report(CutOff::Timeout);
          if (error) return;
          if (is_kept) return self->wait_for_request(self->context_.limits.idle_max);
          self->linger();
        });
  }

  // Closes in order: bytes of a refused request that are still on their way would turn the close
  // into a reset, which takes the reply with it. Bounded by the request's clock and by size.
  void linger() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    drain();
  }

  void drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                              self->drained_bytes_ += bytes;
                              if (!error && self->drained_bytes_ < kDrainBytesMax) self->drain();
                            });
  }

  void report(CutOff reason) {
    context_.log.event(kHttpCutOff, {kv("peer", peer_), kv("reason", reason)});
  }

  static constexpr std::size_t kReadBytes = 4096;
  static constexpr std::size_t kDrainBytesMax = 262'144;

  std::string local_address_;
  std::string peer_;
  beast::tcp_stream stream_;
  HttpContext& context_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::size_t drained_bytes_ = 0;
};

}  // namespace

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v4()) return fmt::format("{}:{}", address, endpoint.port());
  return fmt::format("[{}]:{}", address, endpoint.port());
}

void serve_connection(tcp::socket socket, HttpContext& context) {
  std::make_shared<Connection>(std::move(socket), context)->start();
}

void refuse_connection(tcp::socket socket, HttpContext& context, unsigned status, CutOff reason) {
  std::make_shared<Connection>(std::move(socket), context)->refuse(status, reason);
}

}  // namespace pgweir::gateway

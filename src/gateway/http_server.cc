// Everything runs on one thread in one io_context: a Listener accepts, each accepted socket becomes
// a connection (http_connection.h), and stopping the context drops them all.
#include "gateway/http_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "gateway/events.h"
#include "gateway/http_connection.h"
#include "gateway/router.h"

namespace pgweir::gateway {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using obs::kv;

constexpr std::chrono::milliseconds kAcceptRetryAfter{100};  // When descriptors have run out.

class Listener {
 public:
  Listener(tcp::acceptor acceptor, HttpContext& context)
      : acceptor_(std::move(acceptor)), retry_(acceptor_.get_executor()), context_(context) {}

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return retry(error);
      welcome(std::move(socket));
      accept();
    });
  }

  tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  // One too many is told so, as long as those who are being told are not too many themselves.
  void welcome(tcp::socket socket) {
    const std::size_t count = context_.connection_count;
    const std::size_t count_max = context_.limits.connection_count_max;
    if (count >= 2 * count_max) return;  // Closes the socket.
    if (count < count_max) return serve_connection(std::move(socket), context_);
    refuse_connection(std::move(socket), context_, 503, CutOff::TooManyConnections);
  }

  void retry(error_code error) {
    context_.log.event(kHttpFailed, {kv("error", error.message())});
    retry_.expires_after(kAcceptRetryAfter);
    retry_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  HttpContext& context_;
};

base::Error cannot_listen(const std::string& where, const error_code& error) {
  return {.code = base::ErrorCode::System,
          .side = base::Side::Self,
          .retry = base::Retry::Never,
          .context = fmt::format("cannot listen for HTTP on {}: {}; choose another address or "
                                 "port with --http, or stop what uses this one",
                                 where, error.message())};
}

// The first step that fails says why in `error`.
tcp::acceptor bind_acceptor(asio::io_context& io, const tcp::endpoint& endpoint,
                            error_code& error) {
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    const bool is_for_both = endpoint.address().is_unspecified();
    acceptor.set_option(asio::ip::v6_only(!is_for_both), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return acceptor;
}

// An address that this machine does not have, such as ::1 where IPv6 is off.
bool is_absent(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == boost::system::errc::address_not_available;
}

std::vector<tcp::endpoint> resolve(asio::io_context& io, const config::HttpAddress& address,
                                   error_code& error) {
  if (address.host == "*") {
    return {{tcp::v6(), address.port}, {tcp::v4(), address.port}};
  }
  std::vector<tcp::endpoint> endpoints;
  const auto found = tcp::resolver(io).resolve(address.host, std::to_string(address.port),
                                               tcp::resolver::passive, error);
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  return endpoints;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const config::HttpOptions& options, HttpLimits limits, const SnapshotSource& source,
       obs::Log& log)
      : address_(options.address),
        context_{limits, Router(HostRule(options.address.host, options.hosts), source), log} {}
  ~Impl() { stop(); }

  base::Status start() {
    if (address_.is_off()) return base::success();
    base::Status bound = bind();
    if (!bound) return bound;
    for (const auto& listener : listeners_) {
      context_.log.event(kHttpListening, {kv("address", text_of(listener->endpoint()))});
      listener->accept();
    }
    return start_thread();
  }

  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  std::uint16_t port() const {
    ASSERT(!listeners_.empty());
    return listeners_.front()->endpoint().port();
  }

 private:
  base::Status bind() {
    const std::string where = fmt::format("{}:{}", address_.host, address_.port);
    error_code error;
    const std::vector<tcp::endpoint> endpoints = resolve(io_, address_, error);
    if (error) return cannot_listen(where, error);
    for (const tcp::endpoint& endpoint : endpoints) {
      // The IPv6 wildcard takes IPv4 along; the other one is for machines without IPv6.
      if (address_.host == "*" && !listeners_.empty()) break;
      tcp::acceptor acceptor = bind_acceptor(io_, endpoint, error);
      if (error && is_absent(error)) continue;
      if (error) return cannot_listen(text_of(endpoint), error);
      listeners_.push_back(std::make_unique<Listener>(std::move(acceptor), context_));
    }
    if (listeners_.empty()) return cannot_listen(where, error);
    return base::success();
  }

  // Signals are for the main thread, so this one is born with all of them blocked.
  base::Status start_thread() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    base::Status started = base::success();
    try {
      thread_ = std::thread([this] { run(); });
      pthread_setname_np(thread_.native_handle(), "pgweir-http");
    } catch (const std::system_error& error) {
      started =
          base::Error{.code = base::ErrorCode::System,
                      .context = fmt::format("cannot start the HTTP thread: {}", error.what())};
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
  }

  // The libraries below throw where they have no error code; one request is lost then, not the
  // endpoint.
  void run() {
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& error) {
        context_.log.event(kHttpFailed, {kv("error", std::string_view(error.what()))});
      }
    }
  }

  const config::HttpAddress address_;
  HttpContext context_;
  // After `context_`, since the connections that die with it refer to that.
  asio::io_context io_{1};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::thread thread_;
};

HttpServer::HttpServer(const config::HttpOptions& options, HttpLimits limits,
                       const SnapshotSource& source, obs::Log& log)
    : impl_(std::make_unique<Impl>(options, limits, source, log)) {}
HttpServer::~HttpServer() = default;

base::Status HttpServer::start() { return impl_->start(); }
void HttpServer::stop() { impl_->stop(); }
std::uint16_t HttpServer::port() const { return impl_->port(); }

}  // namespace pgweir::gateway

#include "server/listeners.h"

#include <fmt/format.h>
#include <grp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace pgweir::server {
namespace {

// What a name that was configured to listen on means; blocking is fine before there are clients.
base::Result<std::vector<std::string>> addresses_of(const std::string& name) {
  if (name == "*") return std::vector<std::string>{"0.0.0.0", "::"};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return base::Error{
        .code = base::ErrorCode::Configuration,
        .side = base::Side::Self,
        .context = fmt::format("cannot listen on \"{}\": {}", name, ::gai_strerror(error))};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
        0) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

net::ListenOptions options_of(const config::Config& config) {
  return {.backlog = static_cast<int>(config.listen.backlog),
          .shares_port = config.listen.is_shared,
          .silence_max = std::chrono::duration_cast<std::chrono::seconds>(config.tcp.silence_max),
          .unix_mode = config.listen.unix_socket_mode,
          .socket = socket_options(config.tcp)};
}

base::Error bad_group(const std::string& group, std::string_view why) {
  return {.code = base::ErrorCode::Configuration,
          .side = base::Side::Self,
          .context = fmt::format("cannot give the Unix socket to unix_socket_group \"{}\": {}",
                                 group, why)};
}

base::Status give_to_group(const std::string& path, const std::string& group) {
  const auto* entry = ::getgrnam(group.c_str());
  if (entry == nullptr) return bad_group(group, "there is no such group");
  if (::chown(path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0) {
    return bad_group(group, std::strerror(errno));
  }
  return base::success();
}

}  // namespace

net::SocketOptions socket_options(const config::TcpOptions& tcp) {
  using std::chrono::duration_cast;
  return {.has_keepalive = tcp.has_keepalive,
          .keepalive_idle = duration_cast<std::chrono::seconds>(tcp.keepalive_idle),
          .keepalive_interval = duration_cast<std::chrono::seconds>(tcp.keepalive_interval),
          .keepalive_count = static_cast<int>(tcp.keepalive_count),
          .user_timeout = duration_cast<std::chrono::milliseconds>(tcp.user_timeout)};
}

base::Result<std::vector<net::Listener>> open_listeners(const config::Config& config) {
  const net::ListenOptions options = options_of(config);
  std::vector<net::Listener> listeners;
  for (const std::string& name : config.listen.addresses) {
    for (const std::string& address : TRY(addresses_of(name))) {
      auto listener = net::Listener::open_tcp(address, config.listen.port, options);
      // A machine without IPv6 still listens on "*" and "localhost".
      if (!listener && address.find(':') != std::string::npos && !listeners.empty()) continue;
      if (!listener) return std::move(listener).error();
      listeners.push_back(std::move(*listener));
    }
  }
  if (!config.listen.unix_socket_dir.empty()) {
    const std::string path =
        fmt::format("{}/.s.PGSQL.{}", config.listen.unix_socket_dir, config.listen.port);
    listeners.push_back(TRY(net::Listener::open_unix(path, options)));
    const std::string& group = config.listen.unix_socket_group;
    if (!group.empty() && path.front() != '@') TRY(give_to_group(path, group));
  }
  return listeners;
}

}  // namespace pgweir::server

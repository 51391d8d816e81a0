#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace pgweir::net {
namespace {

const sockaddr_in& as_v4(const SocketAddress& address) {
  return *reinterpret_cast<const sockaddr_in*>(&address.storage);
}
const sockaddr_in6& as_v6(const SocketAddress& address) {
  return *reinterpret_cast<const sockaddr_in6*>(&address.storage);
}

// By hand: each client that is accepted has its address written, and inet_ntop() and format() take
// twenty times as long.
std::string v4_text(const SocketAddress& address) {
  std::array<char, INET_ADDRSTRLEN + 6> text{};
  char* at = text.data();
  char* const end = at + text.size();
  const std::uint32_t number = ntohl(as_v4(address).sin_addr.s_addr);
  for (std::uint32_t shift = 32; shift > 0; shift -= 8) {
    at = std::to_chars(at, end, (number >> (shift - 8)) & 0xffU).ptr;
    *at++ = shift > 8 ? '.' : ':';
  }
  at = std::to_chars(at, end, port_of(address)).ptr;
  return {text.data(), at};
}

std::optional<SocketAddress> make_v6_address(const std::string& literal, std::uint16_t port) {
  SocketAddress address;
  auto& v6 = *reinterpret_cast<sockaddr_in6*>(&address.storage);
  const std::size_t percent = literal.find('%');
  if (::inet_pton(AF_INET6, literal.substr(0, percent).c_str(), &v6.sin6_addr) != 1) {
    return std::nullopt;
  }
  if (percent != std::string::npos) {
    v6.sin6_scope_id = ::if_nametoindex(literal.c_str() + percent + 1);
    if (v6.sin6_scope_id == 0) return std::nullopt;
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  address.bytes = sizeof(v6);
  return address;
}

}  // namespace

std::optional<SocketAddress> make_ip_address(const std::string& literal, std::uint16_t port) {
  SocketAddress address;
  auto& v4 = *reinterpret_cast<sockaddr_in*>(&address.storage);
  if (::inet_pton(AF_INET, literal.c_str(), &v4.sin_addr) != 1) {
    return make_v6_address(literal, port);
  }
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  address.bytes = sizeof(v4);
  return address;
}

std::optional<SocketAddress> make_unix_address(const std::string& path) {
  SocketAddress address;
  auto& local = *reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.size() >= sizeof(local.sun_path)) return std::nullopt;
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.c_str(), path.size() + 1);
  address.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  if (path.front() == '@') {  // Abstract (unix(7)): a zero byte in front, none behind.
    local.sun_path[0] = '\0';
    --address.bytes;
  }
  return address;
}

std::string to_text(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (address.family()) {
    case AF_INET: return v4_text(address);
    case AF_INET6:
      ::inet_ntop(AF_INET6, &as_v6(address).sin6_addr, text.data(), text.size());
      return fmt::format("[{}]:{}", text.data(), port_of(address));
    case AF_UNIX: return reinterpret_cast<const sockaddr_un*>(&address.storage)->sun_path;
    default: return "unknown";
  }
}

std::uint16_t port_of(const SocketAddress& address) {
  if (address.family() == AF_INET) return ntohs(as_v4(address).sin_port);
  if (address.family() == AF_INET6) return ntohs(as_v6(address).sin6_port);
  return 0;
}

base::PeerAddress describe_peer(int fd, const SocketAddress& address) {
  base::PeerAddress peer;
  if (address.family() != AF_UNIX) {
    peer.text = to_text(address);
    return peer;
  }
  peer.is_unix = true;
  peer.text = "unix";
  ucred credentials{};
  socklen_t bytes = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) == 0) {
    peer.text = fmt::format("unix:{}", credentials.pid);
    peer.uid = credentials.uid;
  }
  return peer;
}

}  // namespace pgweir::net

// Socket addresses: from text to what the kernel wants, and from what it reports to text. Names are
// not resolved here; the control thread does that before an address gets this far.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>

#include "base/io.h"

namespace pgweir::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// An IPv4 or IPv6 literal ("192.0.2.7", "::1", "fe80::1%eth0"); nullopt if it is neither.
std::optional<SocketAddress> make_ip_address(const std::string& literal, std::uint16_t port);

// "@…" is an abstract name (unix(7)). nullopt if the path is longer than the kernel takes (107
// bytes).
std::optional<SocketAddress> make_unix_address(const std::string& path);

// "192.0.2.7:6432", "[::1]:6432" or the path of a Unix socket.
std::string to_text(const SocketAddress& address);

// The port of an IP address, 0 for a Unix socket.
std::uint16_t port_of(const SocketAddress& address);

// Who is at the other end of a connected socket; `address` is what accept reported.
base::PeerAddress describe_peer(int fd, const SocketAddress& address);

}  // namespace pgweir::net

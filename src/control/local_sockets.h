// LocalSockets: which Unix sockets on this machine may lead to a server that listens on a TCP port
// of it: those in PostgreSQL's usual directories, of the same port number and the same owner. It
// connects to none; what is behind one is UnixSocketSearch's question.
// Source of truth: PostgreSQL manual, 20.3.1 (unix_socket_directories); proc(5), /proc/net/tcp.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::control {

// Debian's and Red Hat's, the same where /var/run is a link, and PostgreSQL's own default.
std::vector<std::string> usual_socket_directories();

// "/run/postgresql/.s.PGSQL.5432": as libpq and PostgreSQL make it of a directory and a port.
std::string socket_path(std::string_view directory, std::uint16_t port);

// Those of `directories` that hold a socket of this port which belongs to whoever listens on it
// over TCP: in /tmp anybody may make one and wait for who comes. Each socket once.
std::vector<std::string> find_socket_directories(std::uint16_t port,
                                                 const std::vector<std::string>& directories);

// Whose the listening sockets of this port are; nothing if there is none, or if they are not all
// one user's. tables: /proc/net/tcp and tcp6, one behind the other.
std::optional<uid_t> find_listener(std::string_view tables, std::uint16_t port);

}  // namespace pgweir::control

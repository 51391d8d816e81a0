// AddressBook: where the hosts of a database lead, as far as the resolver has told, and which Unix
// sockets stand in for TCP. It asks nobody; the control thread resolves names and tries sockets,
// and sends AddressesFound and UnixSocketFound.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/io.h"
#include "base/result.h"
#include "proxy/options.h"

namespace pgweir::proxy {

class AddressBook {
 public:
  // addresses: IP literals in the resolver's order; empty with a `problem` when there is none.
  void set(const std::string& host, std::vector<std::string> addresses, std::string problem);

  // The server at this IP address and port is behind the Unix socket `path` as well; empty: it is
  // not, or not any more.
  void set_unix_socket(const std::string& address, std::uint16_t port, std::string path);
  // Logins over that socket fail: it is not used again, whatever set_unix_socket() says later.
  // False if that is known already.
  bool give_up_unix_socket(const std::string& address, std::uint16_t port);

  // Every endpoint of these hosts in the order in which they are to be tried: hosts as
  // configured, rotated by `turn` where they share the load, addresses of a host as resolved, a
  // Unix socket before the address that it stands in for.
  // Errors: Unreachable if there is none, with the resolver's reason.
  base::Result<std::vector<base::Endpoint>> find(const DatabaseOptions& database,
                                                 std::size_t turn) const;

  // Whether a host needs the resolver at all: not an address, not a socket's directory.
  static bool is_name(const ServerAddress& server);
  // Whether this is the socket of an address behind it, not one that somebody has configured.
  static bool is_stand_in(const base::Endpoint& endpoint);

 private:
  struct Entry {
    std::vector<std::string> addresses;
    std::string problem;
  };
  struct UnixSocket {
    std::string path;
    bool is_given_up = false;
  };
  void add_address(const DatabaseOptions& database, const ServerAddress& server,
                   const std::string& address, std::vector<base::Endpoint>& to) const;

  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::pair<std::string, std::uint16_t>, UnixSocket> unix_sockets_;
};

}  // namespace pgweir::proxy

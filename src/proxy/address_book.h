// AddressBook: where the hosts of a database lead, as far as the resolver has told. It asks nobody;
// the control thread resolves names and sends AddressesFound.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/io.h"
#include "base/result.h"
#include "proxy/options.h"

namespace pgweir::proxy {

class AddressBook {
 public:
  // addresses: IP literals in the resolver's order; empty with a `problem` when there is none.
  void set(const std::string& host, std::vector<std::string> addresses, std::string problem);

  // Every endpoint of these hosts in the order in which they are to be tried: hosts as
  // configured, rotated by `turn` where they share the load, addresses of a host as resolved.
  // Errors: Unreachable if there is none, with the resolver's reason.
  base::Result<std::vector<base::Endpoint>> find(const DatabaseOptions& database,
                                                 std::size_t turn) const;

  // Whether a host needs the resolver at all: not an address, not a socket's directory.
  static bool is_name(const ServerAddress& server);

 private:
  struct Entry {
    std::vector<std::string> addresses;
    std::string problem;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace pgweir::proxy

#include "proxy/address_book.h"

#include <fmt/format.h>

#include <utility>

namespace pgweir::proxy {
namespace {

// IP literals need no resolver: digits and dots, or anything with a colon.
bool is_ip_literal(const std::string& text) {
  return text.find(':') != std::string::npos ||
         (!text.empty() && text.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace

bool AddressBook::is_name(const ServerAddress& server) {
  return !server.is_unix() && server.address.empty() && !is_ip_literal(server.host);
}

void AddressBook::set(const std::string& host, std::vector<std::string> addresses,
                      std::string problem) {
  // A failed lookup does not unlearn what was found before: names fail more often than they move.
  if (addresses.empty() && !entries_[host].addresses.empty()) return;
  entries_[host] = {.addresses = std::move(addresses), .problem = std::move(problem)};
}

bool AddressBook::is_stand_in(const base::Endpoint& endpoint) {
  return endpoint.is_unix() && !ServerAddress{.host = endpoint.host, .address = {}}.is_unix();
}

void AddressBook::set_unix_socket(const std::string& address, std::uint16_t port,
                                  std::string path) {
  unix_sockets_[{address, port}].path = std::move(path);
}

bool AddressBook::give_up_unix_socket(const std::string& address, std::uint16_t port) {
  return !std::exchange(unix_sockets_[{address, port}].is_given_up, true);
}

void AddressBook::add_address(const DatabaseOptions& database, const ServerAddress& server,
                              const std::string& address, std::vector<base::Endpoint>& to) const {
  const auto found = unix_sockets_.find({address, server.port});
  if (found != unix_sockets_.end() && !found->second.path.empty() && !found->second.is_given_up &&
      database.may_use_unix_socket()) {
    to.push_back({.address = found->second.path, .port = server.port, .host = server.host});
  }
  to.push_back({.address = address, .port = server.port, .host = server.host});
}

base::Result<std::vector<base::Endpoint>> AddressBook::find(const DatabaseOptions& database,
                                                            std::size_t turn) const {
  std::vector<base::Endpoint> found;
  std::string problem;
  const std::size_t count = database.hosts.size();
  const std::size_t first = database.load_balance == LoadBalance::Disable ? 0 : turn % count;
  for (std::size_t i = 0; i < count; ++i) {
    const ServerAddress& server = database.hosts[(first + i) % count];
    const auto add = [&](const std::string& address) {
      add_address(database, server, address, found);
    };
    if (server.is_unix()) {
      found.push_back({.address = fmt::format("{}/.s.PGSQL.{}", server.host, server.port),
                       .port = server.port,
                       .host = server.host});
    } else if (!server.address.empty()) {
      add(server.address);
    } else if (!is_name(server)) {
      add(server.host);
    } else if (const auto entry = entries_.find(server.host); entry != entries_.end()) {
      for (const std::string& address : entry->second.addresses) add(address);
      if (entry->second.addresses.empty()) problem = entry->second.problem;
    } else {
      problem = fmt::format("the name \"{}\" is still being looked up", server.host);
    }
  }
  if (!found.empty()) return found;
  return base::Error{.code = base::ErrorCode::Unreachable,
                     .side = base::Side::Server,
                     .context = problem.empty() ? "no host is configured" : problem};
}

}  // namespace pgweir::proxy

#include "proxy/address_book.h"

#include <fmt/format.h>

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

base::Result<std::vector<base::Endpoint>> AddressBook::find(const DatabaseOptions& database,
                                                            std::size_t turn) const {
  std::vector<base::Endpoint> found;
  std::string problem;
  const std::size_t count = database.hosts.size();
  const std::size_t first = database.load_balance == LoadBalance::Disable ? 0 : turn % count;
  for (std::size_t i = 0; i < count; ++i) {
    const ServerAddress& server = database.hosts[(first + i) % count];
    const auto add = [&](const std::string& address) {
      found.push_back({.address = address, .port = server.port, .host = server.host});
    };
    if (server.is_unix()) {
      add(fmt::format("{}/.s.PGSQL.{}", server.host, server.port));
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

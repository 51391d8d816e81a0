#include "control/local_sockets.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

namespace pgweir::control {

namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp writes it.

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What a line says of a socket: `sl local_address rem_address st … uid …`.
struct Entry {
  std::string local;
  std::string state;
  uid_t owner = 0;
};

std::optional<Entry> read_entry(const std::string& line) {
  std::istringstream words(line);
  Entry entry;
  std::string skipped;
  words >> skipped >> entry.local >> skipped >> entry.state;
  words >> skipped >> skipped >> skipped >> entry.owner;
  return words ? std::optional(entry) : std::nullopt;
}

// "0100007F:1538" → 5432.
std::optional<std::uint16_t> port_of(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = address.substr(colon + 1);
  std::uint16_t port = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
  return end.ec == std::errc() ? std::optional(port) : std::nullopt;
}

}  // namespace

std::vector<std::string> usual_socket_directories() {
  return {"/run/postgresql", "/var/run/postgresql", "/tmp"};
}

std::string socket_path(std::string_view directory, std::uint16_t port) {
  return fmt::format("{}/.s.PGSQL.{}", directory, port);
}

std::optional<uid_t> find_listener(std::string_view tables, std::uint16_t port) {
  std::istringstream lines{std::string(tables)};
  std::optional<uid_t> listener;
  for (std::string line; std::getline(lines, line);) {
    const auto entry = read_entry(line);
    if (!entry || entry->state != kListening || port_of(entry->local) != port) continue;
    if (listener && *listener != entry->owner) return std::nullopt;
    listener = entry->owner;
  }
  return listener;
}

std::vector<std::string> find_socket_directories(std::uint16_t port,
                                                 const std::vector<std::string>& directories) {
  std::vector<std::pair<std::string, uid_t>> sockets;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const std::string& directory : directories) {
    struct stat found {};
    if (::lstat(socket_path(directory, port).c_str(), &found) != 0) continue;
    if (!S_ISSOCK(found.st_mode) || !seen.emplace(found.st_dev, found.st_ino).second) continue;
    sockets.emplace_back(directory, found.st_uid);
  }
  std::vector<std::string> fitting;
  if (sockets.empty()) return fitting;  // The tables are long where there are many connections.
  const auto listener =
      find_listener(read_file("/proc/net/tcp") + read_file("/proc/net/tcp6"), port);
  for (auto& [directory, owner] : sockets) {
    if (listener == owner) fitting.push_back(std::move(directory));
  }
  return fitting;
}

}  // namespace pgweir::control

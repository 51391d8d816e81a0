// What the shells may be told: where to listen, TLS towards clients, HTTP, where log lines and
// state go. Values only. The core's options are in the options.h of each floor below.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "obs/options.h"
#include "proxy/options.h"

namespace pgweir::config {

// Where clients connect.
struct ListenOptions {
  std::vector<std::string> addresses{"127.0.0.1"};  // Names or IP addresses; "*" = all.
  std::uint16_t port = 6432;
  std::string unix_socket_dir;  // Empty = no Unix socket; "@…" = the abstract namespace.
  std::uint32_t unix_socket_mode = 0777;
  std::string unix_socket_group;
  std::uint32_t backlog = 4096;
  bool is_shared = false;  // SO_REUSEPORT: several processes on one port.

  friend bool operator==(const ListenOptions&, const ListenOptions&) = default;
};

struct HttpAddress {
  std::string host = "127.0.0.1";  // Empty = HTTP is off.
  std::uint16_t port = 6433;
  bool is_off() const { return host.empty(); }

  friend bool operator==(const HttpAddress&, const HttpAddress&) = default;
};

struct HttpOptions {
  HttpAddress address;
  std::vector<std::string> hosts;  // Host headers accepted besides the address and localhost.

  friend bool operator==(const HttpOptions&, const HttpOptions&) = default;
};

// TLS towards clients. Without a certificate the shell makes a self-signed one.
struct ClientTlsOptions {
  proxy::SslMode mode = proxy::SslMode::Prefer;
  std::string cert_file;
  std::string key_file;
  std::string ca_file;
  proxy::TlsVersion version_min = proxy::TlsVersion::V1_2;
  proxy::TlsVersion version_max = proxy::TlsVersion::Any;
  std::string ciphers;
  std::string ciphers_tls13;

  friend bool operator==(const ClientTlsOptions&, const ClientTlsOptions&) = default;
};

// Both legs, clients and servers.
struct TcpOptions {
  bool has_keepalive = true;
  base::Duration keepalive_idle = std::chrono::seconds(60);  // Zero: as the system has it.
  base::Duration keepalive_interval = std::chrono::seconds(10);
  std::uint32_t keepalive_count = 3;
  base::Duration user_timeout = std::chrono::seconds(30);
  base::Duration silence_max = std::chrono::seconds(1);  // Of a client that we have not accepted.

  friend bool operator==(const TcpOptions&, const TcpOptions&) = default;
};

struct DnsOptions {
  base::Duration ttl_max = std::chrono::seconds(15);
  base::Duration failure_ttl = std::chrono::seconds(15);
  std::string resolv_conf;

  friend bool operator==(const DnsOptions&, const DnsOptions&) = default;
};

struct LogOptions {
  obs::Options events;
  std::string file;            // Empty = standard error.
  bool has_statistics = true;  // A line of totals every `statistics_interval`.
  base::Duration statistics_interval = std::chrono::seconds(60);

  friend bool operator==(const LogOptions&, const LogOptions&) = default;
};

struct ProcessOptions {
  std::uint32_t data_reactors = 0;  // Threads that move bytes; 0 = as the shell finds good.
  std::string state_directory;      // Empty = as the shell finds it.
  std::string pid_file;             // Empty = none.
  std::string user;                 // To become when started as root; empty = stay.

  friend bool operator==(const ProcessOptions&, const ProcessOptions&) = default;
};

// Of libpgweir inside somebody's service; the daemon reads them and does nothing.
struct LibraryOptions {
  base::Duration leak_threshold = std::chrono::seconds(60);
  base::Duration ping_idle_after = std::chrono::seconds(30);  // 0 = never.
  base::Duration ping_timeout = std::chrono::seconds(1);
  std::uint32_t row_count_warned = 10'000;
  std::uint32_t row_count_max = 0;          // 0 = none is too many.
  std::uint32_t result_bytes_max = 0;       // Of values; 0 = none are too many.
  std::uint32_t statement_count_max = 100;  // Prepared on each server; 0 = none.
  // Between here and the server a pooler forgets what a session has set.
  bool is_behind_pgbouncer = false;

  friend bool operator==(const LibraryOptions&, const LibraryOptions&) = default;
};

}  // namespace pgweir::config

// Plan: what a run of a sandwich is told from outside. Values only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/io.h"
#include "base/time.h"
#include "workload.h"

namespace pgweir::bench {

struct Plan {
  base::Endpoint pooler;
  std::vector<int> pooler_pids;
  std::shared_ptr<const base::TlsSetup> tls;  // Of the clients; null: they speak in the clear.
  std::string user = "bench";
  std::string database = "bench";
  std::size_t clients_per_database = 0;   // 0: all are in one; else that many in bench0, bench1 …
  std::size_t receive_bytes = 64 * 1024;  // That a connection takes from its socket at a time.
  std::string password;  // Asked for where the pooler is told to; empty: it must not ask.
  std::size_t client_count = 8;
  Workload workload;
  double requests_per_second = 1000;  // Of all clients together, where the rate is fixed.
  base::Duration warm_up = std::chrono::seconds(1);
  base::Duration measured = std::chrono::seconds(3);
  base::Duration patience = std::chrono::seconds(30);  // With a pooler that does nothing at all.

  std::optional<base::Endpoint> conductor;  // Who says when clients work (scenarios/laps.h).

  // Of the canned PostgreSQL.
  std::size_t server_count = 10;  // As many as the pooler may have.
  bool server_has_tls = false;    // Whoever asks for it gets it.
  base::Duration login_delay{};   // Before it lets the pooler in.
  base::Duration service_time{};  // Of each request.

  std::string database_of(std::size_t client) const {
    if (clients_per_database == 0) return database;
    return database + std::to_string(client / clients_per_database);
  }
};

}  // namespace pgweir::bench

// Dial: names → addresses → a connection, for one database. Destroying it hangs up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/postgres_connection.h"
#include "control/resolver.h"
#include "proxy/options.h"

namespace pgweir::control {

class Dial {
 public:
  // Called once, from the loop's turn; it may destroy the dial. A connection that failed is passed
  // on too: its close() tells when the server's end of it was seen. It is null when there was
  // nothing to connect to.
  using Done =
      std::function<void(std::unique_ptr<PostgresConnection>, std::optional<insight::Failure>)>;

  // loop, resolver: outlive the dial.
  Dial(loop::Loop& loop, Resolver& resolver, const proxy::DatabaseOptions& database,
       std::string application_name, Done done);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;
  ~Dial();

 private:
  void handle_resolved(std::size_t host, const base::Result<Resolver::Addresses>& answer);
  void connect();
  void finish(std::optional<insight::Failure> failure);

  loop::Loop& loop_;
  const proxy::DatabaseOptions database_;
  const std::string application_name_;
  Done done_;
  std::vector<Resolver::Addresses> addresses_;  // For each host.
  std::size_t unresolved_ = 0;
  std::optional<base::Error> resolve_error_;  // Of the last host that has no address.
  loop::TimerId timer_ = loop::TimerId::None;
  std::unique_ptr<PostgresConnection> connection_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace pgweir::control

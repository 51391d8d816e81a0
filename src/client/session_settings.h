// SessionSettings: what a session is told before anybody has it, at login and whenever it was
// discarded: what the URL asks for, how times are to be written, and the connect_query. It sends
// nothing.
#pragma once

#include <string>
#include <vector>

#include "client/conversation.h"
#include "proxy/options.h"

namespace pgweir::client {

class SessionSettings {
 public:
  // Borrows it.
  explicit SessionSettings(const proxy::DatabaseOptions& database);
  SessionSettings(const SessionSettings&) = delete;
  SessionSettings& operator=(const SessionSettings&) = delete;

  // What that one is to be told now, in this order. Valid as long as this.
  std::vector<Statement> statements_for(const PGconn* connection) const;

 private:
  const proxy::DatabaseOptions& database_;
  std::string set_parameters_;
  std::vector<const char*> values_;
};

}  // namespace pgweir::client

// Tally: what happened to all clients of a load run, and the JSON that the tests read.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "operation.h"

namespace pgweir::load {

// Seconds since the load began; negative while the clients still connect.
using Seconds = double;

class Tally {
 public:
  // Adds a client and returns its number, which starts at 0.
  std::size_t add_client(Kind kind);
  void count_operation(std::size_t client, Seconds took);
  // One that failed once it had begun: it had its turn, and its server was taken away.
  void count_broken(std::size_t client) { ++clients_[client].broken; }
  // An operation, or a login, that failed. `sqlstate` is empty where none came: a bare close.
  void count_error(Kind kind, const std::string& sqlstate, const std::string& message, Seconds at);
  // Commits that were confirmed; in doubt are those that failed at COMMIT.
  void count_commit() { ++commits_; }
  void count_stuck(std::size_t clients) { stuck_ = clients; }
  void set_connect_time(Seconds took) { connect_time_ = took; }

  std::string to_json() const;

 private:
  struct Client {
    Kind kind;
    std::uint64_t operations = 0;
    std::uint64_t broken = 0;
  };
  struct Errors {
    std::uint64_t count = 0;
    Seconds last_at = 0;
  };

  std::vector<Client> clients_;
  std::array<Seconds, kKindCount> longest_{};
  std::map<std::pair<std::string, std::string>, Errors> errors_;  // By SQLSTATE and text.
  std::uint64_t commits_ = 0;
  std::size_t stuck_ = 0;
  Seconds connect_time_ = 0;
};

}  // namespace pgweir::load

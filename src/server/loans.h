// Loans: the control thread's statements on their way to a pool's connection and back. It keeps who
// awaits which answer, and decides nothing: the Relay finds the connection (proxy/errands.h).
// Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "control/borrow.h"
#include "net/mailbox.h"
#include "proxy/parcels.h"

namespace pgweir::server {

class Loans {
 public:
  // relay: outlives it.
  explicit Loans(net::ParcelSink& relay) : relay_(relay) {}

  // What a node borrows from: pools of this database entry that log in as `user`. Must not outlive
  // the Loans.
  std::unique_ptr<control::Borrow> of(std::string database, std::string user);

  void handle(const proxy::ErrandDone& done);

 private:
  using Answered = std::function<void(const control::Loan&)>;
  class Pools;

  net::ParcelSink& relay_;
  std::unordered_map<proxy::ErrandId, Answered> awaited_;
  std::uint64_t last_id_ = 0;
};

// The statement with its parameters in it, as the simple protocol wants it.
// REQUIRES: parameters without quotes and backslashes; fewer than ten.
std::string inline_parameters(const control::Statement& statement);

}  // namespace pgweir::server

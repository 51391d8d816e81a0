// Loans: the control thread's statements on their way to a pool's connection and back. It keeps who
// awaits which answer, and decides nothing: the Relay finds the connection (proxy/errands.h).
// Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "control/borrow.h"
#include "proxy/parcels.h"

namespace pgweir::server {

class Loans {
 public:
  using Send = std::function<void(std::unique_ptr<proxy::RunErrand>)>;
  // send: to the Relay that has such pools.
  explicit Loans(Send send) : send_(std::move(send)) {}

  // What a node borrows from: pools of this database entry that log in as `user`. Must not outlive
  // the Loans.
  std::unique_ptr<control::Borrow> of(std::string database, std::string user);

  void handle(const proxy::ErrandDone& done);

 private:
  using Answered = std::function<void(const control::Loan&)>;
  class Pools;

  const Send send_;
  std::unordered_map<proxy::ErrandId, Answered> awaited_;
  std::uint64_t last_id_ = 0;
};

// The statement with its parameters in it, as the simple protocol wants it.
// REQUIRES: parameters without quotes and backslashes; fewer than ten.
std::string inline_parameters(const control::Statement& statement);

}  // namespace pgweir::server

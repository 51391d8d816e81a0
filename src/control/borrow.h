// What a node's service connection gets from whoever hosts the pools: permits for a backend of its
// own, or, where there are none to be had, a pool's connection for one statement.
#pragma once

#include <functional>
#include <variant>

#include "control/postgres_connection.h"
#include "insight/failure.h"

namespace pgweir::control {

// One permit of the server level: what a backend of ours needs. Outlives the loop's last turn.
class PermitSource {
 public:
  virtual ~PermitSource() = default;
  virtual bool try_take() = 0;
  virtual void give_back() = 0;
};

// Rows, and which backend they come from: the pid of BackendKeyData.
struct Found {
  Rows rows;
  int pid = 0;
};

// All connections of the pool were in use for as long as the statement may take.
struct CrowdedOut {};

using Loan = std::variant<Found, insight::Failure, CrowdedOut>;

// Lends a pool's connection for one statement, as that pool's first waiter.
class Borrow {
 public:
  virtual ~Borrow() = default;
  // Calls `answered` once, on the loop's thread and after it has returned; or never, once the
  // process is about to end. Waiting counts towards the statement's time_max.
  virtual void query(const Statement& statement, std::function<void(const Loan&)> answered) = 0;
};

}  // namespace pgweir::control

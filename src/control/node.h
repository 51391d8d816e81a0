// Node: one PostgreSQL server as the control thread sees it: its service connection, the allowance
// that follows from what it says, and what we know of its health.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "budget/allowance_tracker.h"
#include "budget/second_look.h"
#include "control/service_connection.h"
#include "control/snapshot.h"
#include "obs/log.h"

namespace pgweir::control {

struct NodeOptions {
  std::string name;
  proxy::DatabaseOptions database;  // How the service connection logs in.
  // All as whom pools log in, as far as the configuration knows them. Empty: as their clients'
  // users, so that the limits of roles and databases say nothing about the sum.
  std::vector<budget::Login> logins = {};
  budget::Options budget;
  std::uint64_t seed = 1;  // For jitter.
  // Of all the nodes' common limit, what this one may count on.
  std::uint32_t share = pool::kUnlimited;
  PermitSource* permits = nullptr;  // Both outlive the control thread.
  Borrow* borrow = nullptr;
  // All are called on the control thread. own_pids: BackendKeyData's of all our connections to the
  // node, lost ones included. limits_changed: to what the first look finds, then at each change;
  // pool::kUnlimited where it finds none that could be used.
  std::function<std::vector<std::int32_t>()> own_pids;
  std::function<void(const budget::Limits& limits)> limits_changed;
  // The server at this IP address and port can be reached over the Unix socket `path` from now on,
  // or, if that is empty, not any more.
  std::function<void(const std::string& address, std::uint16_t port, const std::string& path)>
      unix_socket_changed = [](const auto&, auto, const auto&) {};
};

class Node {
 public:
  // changed: called after each change of snapshot().
  Node(loop::Loop& loop, Resolver& resolver, obs::Log& log, NodeOptions options,
       std::function<void()> changed);

  void start();
  void handle_clients(Clients clients);
  void handle_refused();
  void find_lost(int pid, std::function<void()> gone);

  const NodeSnapshot& snapshot() const { return snapshot_; }

 private:
  ServiceCallbacks make_callbacks();
  base::Instant handle_discovered(const Found& found);
  base::Instant believe(const budget::ServerFacts& found);
  void note_allowance(const budget::ServerFacts& facts);
  void note_answer();
  void handle_counted(std::uint32_t client_backends);
  void handle_failed(const insight::Failure& failure);
  void handle_crowded_out();
  void handle_unix_socket(const UnixSocketNews& news);
  void report_unusable(std::string_view problem);
  void follow_limits();
  // No sooner than `from` the next count can have begun.
  void expect_count(base::Instant from);
  bool is_guest() const;
  // Where all pools log in alike.
  std::optional<budget::Login> only_login() const;

  loop::Loop& loop_;
  obs::Log& log_;
  const NodeOptions options_;
  const std::function<void()> changed_;
  budget::SecondLook second_look_;
  budget::AllowanceTracker tracker_;
  NodeSnapshot snapshot_;
  Clients clients_ = Clients::None;
  bool is_reported_unusable_ = false;
  std::optional<budget::Limits> told_limits_;
  ServiceConnection service_;
};

}  // namespace pgweir::control

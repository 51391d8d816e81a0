// ServiceConnection: how pgweir asks one node about itself: limits, health, lost backends. A
// connection of its own, which opens when there is something to ask, closes when no client has been
// there for long, and holds one permit of the server level while its backend may exist.
//
// Where the limit or its share of it is below kLastingLimitMin there is none: its statements run on
// connections of a pool (Borrow), and so they do while no permit is free.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "budget/options.h"
#include "control/borrow.h"
#include "control/dial.h"
#include "control/lost_backends.h"
#include "control/service_schedule.h"
#include "control/unix_socket_search.h"

namespace pgweir::control {

inline constexpr std::uint32_t kLastingLimitMin = 4;

// What the service connection asks on behalf of its owner, and what it tells. All on the loop's
// thread, from its turn; none may destroy the connection.
struct ServiceCallbacks {
  std::function<Statement()> discovery;
  // The answer to it. Returns when to look again.
  std::function<base::Instant(const Found&)> discovered;
  std::function<void(std::uint32_t client_backends)> measured;
  std::function<void(const insight::Failure&)> failed;
  std::function<void()> crowded_out;
  // How many of our backends on the node have not been seen to end, at each change.
  std::function<void(std::size_t count)> lost_counted;
  // Which Unix socket leads to the server, too; of those of other machines nothing is told.
  std::function<void(const UnixSocketNews&)> unix_socket_changed = [](const auto&) {};
};

struct ServiceHost {
  PermitSource& permits;
  Borrow& borrow;
};

struct ServiceOptions {
  std::string node;  // Its name, for application_name and messages.
  proxy::DatabaseOptions database;
  budget::Options budget;
  std::uint64_t seed = 1;  // For jitter.
  std::vector<std::string> socket_directories = usual_socket_directories();
};

class ServiceConnection {
 public:
  // What is borrowed outlives the connection.
  ServiceConnection(loop::Loop& loop, Resolver& resolver, ServiceHost host, ServiceOptions options,
                    ServiceCallbacks callbacks);
  ServiceConnection(const ServiceConnection&) = delete;
  ServiceConnection& operator=(const ServiceConnection&) = delete;
  // Hangs up. Its permit is given back when the server's end has been seen.
  ~ServiceConnection();

  void start() { tick(); }
  void handle_clients(Clients clients);
  // Some connection to this node was refused with 53300.
  void handle_refused();
  // The limit has no room for a connection of its own (kLastingLimitMin).
  void set_guest(bool is_guest);
  // A backend of ours whose end nobody saw: calls `gone` when the server no longer has it, because
  // it ended, was terminated by us (where the role may) or the server started anew.
  void find_lost(int pid, std::function<void()> gone);

  bool is_connected() const { return connection_ != nullptr; }

 private:
  void tick();
  void begin(Errand errand);
  void open();
  void handle_dialled(std::unique_ptr<PostgresConnection> connection,
                      std::optional<insight::Failure> failure);
  void run(Errand errand);
  void discover();
  void measure();
  void find_all_lost();
  void count_lost();
  // An errand is done.
  void rest();
  void look_for_unix_socket();
  void ask(const Statement& statement, std::function<void(const Found&)> answered);
  void borrow(const Statement& statement, std::function<void(const Found&)> answered);
  void fail(const insight::Failure& failure);
  // The connection of its own ends.
  void leave();
  void hang_up(std::unique_ptr<PostgresConnection> connection);

  loop::Loop& loop_;
  Resolver& resolver_;
  const ServiceHost host_;
  const ServiceOptions options_;
  const ServiceCallbacks callbacks_;
  ServiceSchedule schedule_;
  loop::TimerId timer_ = loop::TimerId::None;
  bool is_under_way_ = false;  // An errand, its connecting included.
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<PostgresConnection> connection_;
  LostBackends lost_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  UnixSocketSearch unix_sockets_;
};

}  // namespace pgweir::control

// ServiceConnection: the one connection per node on which pgweir asks a server about itself:
// limits, health, lost backends. It opens when there is something to ask, closes when no client
// has been there for long, and holds one permit of the server level while its backend may exist.
//
// Where the limit is below kLastingLimitMin there is no room for a lasting one: it is "brief" then,
// a connection for each errand when a permit is free, every 5 s at the most, so that health may be
// that old. (Riding on a pool's connection instead, through Borrow, is for who hosts the pools.)
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "budget/options.h"
#include "control/dial.h"
#include "control/service_schedule.h"

namespace pgweir::control {

inline constexpr std::uint32_t kLastingLimitMin = 4;

// One permit of the server level: what a backend of ours needs. Outlives the loop's last turn.
class PermitSource {
 public:
  virtual ~PermitSource() = default;
  virtual bool try_take() = 0;
  virtual void give_back() = 0;
};

// Lends a pool's connection for one statement, as that pool's first waiter.
class Borrow {
 public:
  virtual ~Borrow() = default;
  // Calls `answered` on the loop's thread.
  virtual void query(const Statement& statement, PostgresConnection::Answered answered) = 0;
};

// What a session says about itself besides its answers.
struct SessionFacts {
  int pid = 0;             // From BackendKeyData.
  int server_version = 0;  // 150020 for 15.20.
  TlsFacts tls;
};

// What the service connection asks on behalf of its owner, and what it tells. All on the loop's
// thread, from its turn; none may destroy the connection.
struct ServiceCallbacks {
  std::function<Statement()> discovery;
  // The answer to it. Returns when to look again, or why the answer makes no sense.
  std::function<std::variant<base::Instant, Failure>(const Rows&, const SessionFacts&)> discovered;
  std::function<void(std::uint32_t client_backends)> measured;
  std::function<void(const Failure&)> failed;
  std::function<void()> no_permit;
};

struct ServiceOptions {
  std::string node;  // Its name, for application_name and messages.
  proxy::DatabaseOptions database;
  budget::Options budget;
  std::uint64_t seed = 1;  // For jitter.
};

class ServiceConnection {
 public:
  // All three outlive the connection.
  ServiceConnection(Loop& loop, Resolver& resolver, PermitSource& permits, ServiceOptions options,
                    ServiceCallbacks callbacks);
  ServiceConnection(const ServiceConnection&) = delete;
  ServiceConnection& operator=(const ServiceConnection&) = delete;
  // Hangs up. Its permit is given back when the server's end has been seen.
  ~ServiceConnection();

  void start() { tick(); }
  void handle_clients(std::uint32_t count);
  // Some connection to this node was refused with 53300.
  void handle_refused();
  // Whether the limit has room for a lasting connection (kLastingLimitMin).
  void set_brief(bool is_brief);
  // A backend of ours whose end nobody saw: calls `gone` when the server no longer has it, because
  // it ended, was terminated by us (where the role may) or the server started anew.
  void find_lost(int pid, std::function<void()> gone);

  bool is_connected() const { return connection_ != nullptr; }
  std::size_t lost_count() const { return lost_.size(); }

 private:
  struct Lost {
    base::Instant since;
    std::function<void()> gone;
  };

  void tick();
  void begin(Errand errand);
  void open();
  void handle_dialled(std::unique_ptr<PostgresConnection> connection,
                      std::optional<Failure> failure);
  void run(Errand errand);
  void discover();
  void measure();
  void find_all_lost();
  void handle_found_lost(const Rows& rows);
  void ask(const Statement& statement, std::function<void(const Rows&)> answered);
  void fail(const Failure& failure);
  void hang_up(std::unique_ptr<PostgresConnection> connection);

  Loop& loop_;
  Resolver& resolver_;
  PermitSource& permits_;
  const ServiceOptions options_;
  const ServiceCallbacks callbacks_;
  ServiceSchedule schedule_;
  TimerId timer_ = TimerId::None;
  bool is_under_way_ = false;  // An errand, its connecting included.
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<PostgresConnection> connection_;
  std::unordered_map<int, Lost> lost_;  // By pid.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace pgweir::control

// Errands: statements of the control thread that run on a server of a pool, where the limit has no
// room for a connection of its own: before all waiters, in a transaction of their own, and with an
// answer within a bounded time. What they ask is the control thread's; they leave no trace in the
// session that they borrow.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/relay_state.h"
#include "wire/frame.h"

namespace pgweir::proxy {

class Errands {
 public:
  explicit Errands(RelayState& state) : state_(state) {}

  void begin(std::unique_ptr<RunErrand> order, base::Instant now);

  // Whether it is one of these, and no client, that waits.
  bool owns(const pool::Waiter& waiter) const { return find(waiter) != nullptr; }
  // The pool has decided about a waiter that is one of these.
  void grant(pool::Waiter& waiter, Server& server, base::Instant now);
  void refuse(pool::Waiter& waiter, const pool::Failure* failure);

  // Of a server in Phase::Asking.
  void handle_bytes(Server& server, base::Bytes bytes, base::Instant now);
  // The server ends, or is being ended, in the middle of it.
  void handle_server_lost(const Server& server);
  // A login to this pool has failed: whoever asks wants to know that now.
  void handle_login_failed(base::PoolId pool);

  // Ends those whose time is up.
  void sweep(base::Instant now);
  bool empty() const { return errands_.empty(); }
  // Who waits for a server of that pool besides these: the clients.
  std::uint32_t waiting_clients(base::PoolId pool) const;

 private:
  struct Errand : pool::Waiter {
    ErrandId id{};
    base::PoolId pool{};
    std::string sql;
    base::Instant gives_up_at;
    Server* server = nullptr;
    std::vector<ErrandDone::Row> rows;
    std::optional<wire::Report> failure;
  };

  Errand* find(const pool::Waiter& waiter) const;
  Errand* find(const Server& server) const;
  // Where an order leads: an entry of the configuration, and a pool's name.
  struct Target {
    const DatabaseOptions* entry = nullptr;  // nullptr: it has gone.
    std::string database;
    std::string server_database;
  };
  Target target_of(const RunErrand& order) const;
  Route* find_route(const Target& target, const RunErrand& order) const;
  bool has_servers(const Route& route) const;
  std::optional<pool::ReactorIndex> next_to_ask(RunErrand& order, const Target& target) const;
  void run(Errand& errand, Server& server, base::Instant now);
  // False: the server does not speak the protocol.
  bool take(Errand& errand, Server& server, const wire::Frame& frame);
  void give_back(Server& server, base::Bytes unread, base::Instant now);
  void answer(Errand& errand, std::unique_ptr<ErrandDone> done);
  void fail(Errand& errand, wire::Report report);
  void give_up(Errand& errand, base::Instant now);
  void be_crowded_out(Errand& errand);
  const pool::Failure* failure_of(base::PoolId pool) const;

  RelayState& state_;
  mutable std::list<Errand> errands_;  // Few: one per node. Waiters do not move.
};

}  // namespace pgweir::proxy

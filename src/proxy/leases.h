// Leases: who has which server, and what the pool's decisions mean for them. It opens, lends, takes
// back and closes servers; what is said on them is Requests', Replies' and Recovery's.
#pragma once

#include "proxy/end_reasons.h"
#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Leases {
 public:
  explicit Leases(RelayState& state) : state_(state) {}

  // A server for the client: true when it has one now, false when it waits, or was refused and a
  // decision about it follows.
  bool acquire(Client& client, base::Instant now);
  // The same for an errand, before all waiters; nullptr while it waits.
  Server* take_first(pool::Waiter& errand, base::PoolId pool, base::Instant now);
  // The lease is over and the server is clean: the next waiter's query leaves before this returns.
  void release(Server& server, base::Instant now);

  // The same of one that another Relay has given.
  void release_adopted(Server& server, pool::ReactorIndex from, base::Instant now);

  // Ends a client: tells it `report` (if it has one), closes, and leaves its server to Recovery.
  void end_client(Client& client, ClientEnd reason, const wire::Report* report, base::Instant now);
  // The client is done with its server, which is not clean yet: Recovery has it.
  void detach(Server& server, base::Instant now);

  // Closes a server of ours: Terminate, then its end is awaited. The client it is leased to must
  // have been ended before.
  void close_server(Server& server, base::Instant now);
  // Its connection ended; only Eof proves that its backend has, too.
  void handle_server_gone(Server& server, base::CloseCause cause, base::Instant now);
  // No end was seen in server_close_timeout.
  void give_up_waiting_for_end(Server& server, base::Instant now);

  void handle_server_ready(base::ConnectionId id, ServerReady& ready, base::Instant now);
  void handle_server_failed(ServerFailed& failed, base::Instant now);

  // Carries out what the pool has decided, until nothing is left.
  void carry_out_decisions(base::Instant now);

  // A client that needs a welcome has a server: it is welcomed, at once or when the server has
  // taken its parameters, and the server is free again.
  void begin_session(Client& client, base::Instant now);
  // The client has been lent this server by the pool.
  void grant(Client& client, Server& server, base::Instant now);

 private:
  bool is_dead(const Server& server, base::Instant now);
  void link(Client& client, Server& server, base::Instant now);
  Client* unlink(Server& server, base::Instant now);
  void open_server(base::PoolId pool, base::Instant now);
  void hand_on(Server& server, pool::Waiter* waiter, base::Instant now);
  bool leaves_state(const Client& client) const;
  void terminate(Server& server, base::Instant now);
  void lose(Server& server, base::Instant now);
  void report_backend(const Server& server, std::uint32_t pid, bool is_ours);
  void forget(Server& server);
  void refuse(Client& client, pool::RefuseReason reason, const pool::Failure* failure,
              base::Instant now);
  void notify(Client& client, base::Instant now);

  RelayState& state_;
};

}  // namespace pgweir::proxy

// Server: what the pool knows of one PostgreSQL connection: whose it is, what it is doing, how old
// it is. The owner derives from it or embeds it; bytes and protocol are the owner's.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/list.h"
#include "base/time.h"
#include "pool/decision.h"

namespace pgweir::pool {

struct Pool;
struct InPool;
struct InIdle;
struct InRetiring;
struct InClosing;
struct InParts;

enum class ServerState : std::uint8_t {
  Outside,     // Not known to a shard: not yet, no more, or given away.
  Connecting,  // From handle_opening until its login has ended.
  Idle,        // Nobody's; clean.
  Leased,      // A client's, or being reset by the owner after one.
  Closing,     // Until its end is seen; its permits are still out.
};

// The times of a server that it takes along to another reactor.
struct Tenure {
  base::Instant opened_at;
  base::Instant idle_since;
  base::Instant expires_at = base::kNever;
  base::Instant overdue_at = base::kNever;  // From then on it is not lent again.
};

class Server : public base::ListHook<InPool>,
               public base::ListHook<InIdle>,
               public base::ListHook<InRetiring>,
               public base::ListHook<InClosing>,
               public base::ListHook<InParts> {
 public:
  ServerState state() const { return state_; }
  // REQUIRES: state() is not Outside.
  base::PoolId pool() const { return pool_id_; }
  base::Instant opened_at() const { return tenure_.opened_at; }
  // Since when it is idle, or when it last became so.
  base::Instant idle_since() const { return tenure_.idle_since; }
  // When its lifetime ends; kNever without one.
  base::Instant expires_at() const { return tenure_.expires_at; }
  const Tenure& tenure() const { return tenure_; }
  // A Give of it was decided.
  bool is_given() const { return is_given_; }

 private:
  friend class Shard;

  Pool* pool_ = nullptr;
  Pool* claimed_by_ = nullptr;  // While closing: the pool whose waiter gets the permit.
  base::Instant ordered_at_;    // When its opening was begun.
  Tenure tenure_;
  std::uint32_t generation_ = 0;
  ReactorIndex given_to_ = 0;  // With is_given_.
  bool is_given_ = false;
  base::PoolId pool_id_{};
  ServerState state_ = ServerState::Outside;
  CloseReason close_reason_ = CloseReason::Idle;
};

// Lent or to be lent: idle or leased.
inline bool is_in_service(const Server& server) {
  return server.state() == ServerState::Idle || server.state() == ServerState::Leased;
}

}  // namespace pgweir::pool

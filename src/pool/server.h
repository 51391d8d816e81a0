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
  Outside,     // Not known to a shard: not yet, or no more.
  Connecting,  // From handle_opening until its login has ended.
  Idle,        // Nobody's; clean.
  Leased,      // A client's, or being reset by the owner after one.
  Closing,     // Until its end is seen; its permits are still out.
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
  base::Instant opened_at() const { return opened_at_; }
  // Since when it is idle, or when it last became so.
  base::Instant idle_since() const { return idle_since_; }
  // When its lifetime ends; kNever without one.
  base::Instant expires_at() const { return expires_at_; }

 private:
  friend class Shard;

  Pool* pool_ = nullptr;
  Pool* claimed_by_ = nullptr;  // While closing: the pool whose waiter gets the permit.
  base::Instant ordered_at_;    // When its opening was begun.
  base::Instant opened_at_;
  base::Instant idle_since_;
  base::Instant expires_at_ = base::kNever;
  base::Instant overdue_at_ = base::kNever;  // From then on it is not lent again.
  std::uint32_t generation_ = 0;
  base::PoolId pool_id_{};
  ServerState state_ = ServerState::Outside;
  CloseReason close_reason_ = CloseReason::Idle;
};

// Lent or to be lent: idle or leased.
inline bool is_in_service(const Server& server) {
  return server.state() == ServerState::Idle || server.state() == ServerState::Leased;
}

}  // namespace pgweir::pool

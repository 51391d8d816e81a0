// Shard: all pools of one reactor: who gets which server, when to open one and when to close one.
// Events and a time go in, decisions come out; it knows no clock, no socket and no protocol.
//
// The rules: first come, first served per pool, within 1 ms where several reactors share it; the
// last used server is lent first; when a level is full, the longest waiter over all its pools is
// next.
//
// The contract of every call: `now` never goes back. After each call the owner drains the decisions
// (take_decision) before it returns to its loop. Servers and waiters belong to the owner; a server
// stays alive until handle_ended or handle_lost, a waiter until it leave()s. Nothing allocates once
// every pool, every distinct duration and every failure text has been seen.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/time.h"
#include "pool/decision.h"
#include "pool/exchange.h"
#include "pool/pool.h"
#include "pool/server.h"
#include "pool/timeouts.h"
#include "pool/waiter.h"

namespace pgweir::pool {

// One moment of one pool, for reports.
struct PoolCounts {
  std::uint32_t connecting = 0;
  std::uint32_t idle = 0;
  std::uint32_t leased = 0;
  std::uint32_t closing = 0;
  std::uint32_t lost = 0;
  std::uint32_t waiting = 0;
  std::optional<base::Instant> oldest_since;  // Of the waiters.
};

class Shard {
 public:
  // Borrows the exchange. seed: of the jitter. reactor: this one of reactor_count that have shards.
  Shard(Exchange& exchange, std::uint64_t seed, ReactorIndex reactor = 0,
        std::uint32_t reactor_count = 1);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Ids count up from 0. REQUIRES: spec.levels begins with a level of this pool alone, which it has
  // on every reactor.
  base::PoolId add_pool(PoolSpec spec, base::Instant now);
  // New sizes hold at once, new waiting times for those who come, lifetimes for servers opened
  // then.
  void set_options(base::PoolId id, const Options& options, base::Instant now);
  // Closes the pool's servers: idle ones now, the others when they are released.
  void recycle(base::PoolId id, base::Instant now);
  // A limit in the exchange was changed.
  void handle_limits_changed(base::Instant now);
  // Another reactor's Wake arrived.
  void handle_wake(base::Instant now);

  // An idle server of the pool, leased now; or nullptr, and the waiter waits, or is about to be
  // refused (a Refuse follows). REQUIRES: the waiter is in no line.
  Server* acquire(Waiter& waiter, base::PoolId id, base::Instant now);
  // The same for one who does not wait: nullptr, and nothing follows.
  Server* acquire_idle(base::PoolId id) { return take_idle(at(id)); }
  // The same for an errand of the owner's own, which goes before every waiter of every pool. No
  // full line and no time refuses it: the owner makes it leave().
  Server* acquire_first(Waiter& waiter, base::PoolId id, base::Instant now);
  // The lease is over and the server proved clean. Returns who has it now: the next waiter, or
  // nullptr when it is idle or a Close of it was decided (server.state() tells).
  Waiter* release(Server& server, base::Instant now);
  // The waiter goes away: out of the line, and no decision about it follows. Does nothing when it
  // does not wait. A server that it holds is the owner's to release or close.
  void leave(Waiter& waiter);

  // The owner began what an Open asked for. `server` is new to the shard.
  void handle_opening(Server& server, base::PoolId id, base::Instant now);
  // Its login succeeded. Returns who has it now, as release() does.
  Waiter* handle_opened(Server& server, base::Instant now);
  // Its login failed. It is Closing now; handle_ended or handle_lost follows, at once if there is
  // no connection.
  void handle_open_failed(Server& server, Failure failure, base::Instant now);
  // The owner closes an idle or leased server on its own decision.
  void handle_closing(Server& server, base::Instant now);
  // The server's end was seen (EOF, or it never was): its permits return. The shard forgets it.
  // REQUIRES: it is not Connecting.
  void handle_ended(Server& server, base::Instant now);
  // Its end was not seen (reset, timeout): its permits stay out until handle_lost_ended. The shard
  // forgets it. REQUIRES: it is not Connecting.
  void handle_lost(Server& server, base::Instant now);
  // The backend of one lost server of this pool is proved gone.
  void handle_lost_ended(base::PoolId id, base::Instant now);

  // A server of this pool that another reactor gave arrived. It is Leased: to be closed, or
  // released.
  void adopt(Server& server, base::PoolId id, const Tenure& tenure, base::Instant now);
  Waiter* release_adopted(Server& server, ReactorIndex from, base::Instant now);
  // The owner does not send away the server that a Give is about, whether that was taken or not. It
  // is Leased: to be closed.
  void take_back(Server& server, base::Instant now);
  // Whether servers are on their way here.
  bool expects_servers() const { return exchange_.coming(reactor_) != 0; }

  // To be called at next_deadline(), or whenever; what is due by `now` is done.
  void handle_time(base::Instant now);
  base::Instant next_deadline() const;

  bool has_decisions() const {
    return !closes_.empty() || !orders_.empty() || !refusals_.empty() || !notified_.empty() ||
           !gifts_.empty() || to_wake_ != 0;
  }
  // The next decision, or nullopt when all are taken.
  std::optional<Decision> take_decision();

  std::uint32_t pool_count() const { return static_cast<std::uint32_t>(pools_.size()); }
  const Options& options(base::PoolId id) const { return at(id).options(); }
  PoolCounts counts(base::PoolId id) const;
  // The last failed login, if none worked since.
  const Failure* last_failure(base::PoolId id) const { return at(id).last_failure.get(); }

  // Everything that must hold, by full scans: for tests and simulation. What is O(1) to check is
  // checked by every call.
  void check_invariants() const;

 private:
  // How much longer than a released server's own next waiter another pool's must have waited to
  // take its permit over, in logins. Each change of pool costs a login; without this two busy pools
  // would log in for every transaction.
  static constexpr int kPatienceLogins = 4;
  // Order of arrival holds within 1 ms over all reactors: by so much a waiter of one's own may be
  // younger than one elsewhere …
  static constexpr base::Duration kBarging = std::chrono::microseconds(250);
  // … of whom is known when the oldest came, give or take this.
  static constexpr base::Duration kStaleness = std::chrono::microseconds(100);
  static constexpr base::Duration kAskAgainAfter = std::chrono::milliseconds(100);

  Pool& at(base::PoolId id) { return *pools_[base::index_of(id)]; }
  const Pool& at(base::PoolId id) const { return *pools_[base::index_of(id)]; }

  // shard.cc: lending.
  Server* take_idle(Pool& pool);
  void enqueue(Waiter& waiter, Pool& pool, base::Instant now);
  void enqueue_first(Waiter& waiter, Pool& pool, base::Instant now);
  base::Instant before_all_waiters(base::Instant now) const;
  Waiter* pass_on(Server& server, base::Instant now);
  std::optional<CloseReason> reason_to_close(const Server& server, Pool& pool, base::Instant now);
  void rest(Server& server, Pool& pool, base::Instant now);
  void settle(Waiter& waiter);
  void refuse(Waiter& waiter, RefuseReason reason);
  void wake_others(ReactorMask reactors) { to_wake_ |= reactors & ~mask_of(reactor_); }
  std::optional<Decision> take_notice();

  // shard_opening.cc: who may have one more.
  void open_more(Pool& pool, base::Instant now);
  void open_wanted(Pool& pool, base::Instant now);
  bool has_to_wait_for_reserve(Pool& pool, base::Instant now);
  void order_opening(Pool& pool);
  void serve_starved(base::Instant now);
  void refresh_starved(Pool& pool);
  void starve(Pool& pool);
  void feed(Pool& pool);
  void announce_starved(const Pool& changed);
  Pool* oldest_servable();
  void refuse_all(Pool& pool);
  void relieve_retiring(Server& successor, Pool& pool, base::Instant now);

  // shard_closing.cc: who must give one up.
  void order_close(Server& server, CloseReason reason);
  void begin_close(Server& server, CloseReason reason);
  void forget(Server& server);
  void settle_claim(Server& server);
  void claim(Server& server);
  bool should_yield(Pool& pool);
  Pool* oldest_starved_helped_by(const Pool& giver);
  bool is_over(const Pool& pool) const;
  void shrink_to_limits();
  void refresh_spare(Pool& pool);
  void stop_retiring(Server& server);

  // shard_keeping.cc: levels that come one after the other.
  bool has_room(const Pool& pool) const;
  bool is_lacking(const Pool& pool, LevelId level) const;
  bool is_coming(const Pool& pool, LevelId level) const;
  bool is_kept_from(const Pool& pool, LevelId level) const;
  std::optional<LevelId> narrowest_lacking(const Pool& pool) const;
  bool is_helped_by(const Pool& starved, const Pool& giver) const;
  bool is_helped_in_part_by(const Pool& starved, const Pool& giver) const;
  bool is_attainable(LevelId level) const;
  bool may_keep(const Pool& starved) const;
  bool goes_before_keeper(const Pool& pool) const;
  Server* coldest_spare_for(const Pool& starved);
  void keep_for(Pool& pool);
  bool is_keep_over() const;
  void let_go();

  // shard_leaving.cc: what is free and somebody else's.
  bool is_left_by(const Pool& pool, LevelId level) const;
  base::Instant oldest_asking_at(LevelId level) const;
  void ask_at_level(Pool& pool, std::optional<LevelId> lacking, base::Instant now);
  void ask_no_more_at_level(Pool& pool);
  void renew_level_ask(const Pool& pool);
  void move_level_asks(base::Instant now);
  void offer(LevelId level);

  // shard_giving.cc: what goes to other reactors.
  bool is_asked_by_others() const { return others_ != 0 && exchange_.is_asked(reactor_); }
  void begin_asking(Pool& pool, base::Instant now);
  void refresh_asks(Pool& pool);
  void ask_others(Pool& pool, ReactorMask whom, base::Instant now);
  void ask_no_more(Pool& pool);
  void help_others(base::Instant now);
  bool yield_to_others(Server& server);
  void give(Server& server, ReactorIndex to);
  std::optional<Decision> take_gift();
  void enter(Server& server, Pool& pool, base::Instant now);

  // shard_time.cc: what is due.
  void sweep(Pool& pool, base::Instant now);
  void retire_expired(Pool& pool, base::Instant now);
  void retire(Server& server, Pool& pool, base::Instant now);
  void close_idle_retiring(Pool& pool);
  void close_long_idle(Pool& pool, base::Instant now);
  void schedule(Pool& pool, base::Instant when);

  void check_pool(const Pool& pool) const;
  void check_pool_thoroughly(const Pool& pool) const;

  Exchange& exchange_;
  base::Rng rng_;
  const ReactorIndex reactor_;
  const ReactorMask others_;  // That have shards, too.
  std::vector<std::unique_ptr<Pool>> pools_;

  // Pools with waiters that nothing is under way for, because a permit is missing; in no order.
  base::List<Pool, InStarved> starved_;
  // Pools with an idle server above their minimum.
  base::List<Pool, InSpare> spare_;
  // The pool that permits are kept for one by one, until a waiter of it has one of every level.
  Pool* keeper_ = nullptr;
  base::Instant kept_since_;           // Since when that waiter waits.
  base::List<Server, InParts> parts_;  // Closing for that waiter.
  bool has_let_go_ = false;            // What was kept is free; who may have it is not told yet.
  bool is_over_limit_ = false;         // Some level had more than its limit when last looked.
  base::Instant looked_at_;            // When a permit was last wanted.

  Timeouts<Waiter, InDeadlines> deadlines_;
  Timeouts<Waiter, InNotices> notices_;
  base::Instant next_sweep_ = base::kNever;  // Not later than the earliest sweep_at.

  // Decisions not taken yet.
  base::List<Server, InClosing> closes_;
  base::List<Pool, InOrders> orders_;
  base::List<Waiter, InLine> refusals_;
  base::List<Waiter, InNotices> notified_;
  base::List<Server, InClosing> gifts_;
  ReactorMask to_wake_ = 0;

  std::uint32_t asking_pool_count_ = 0;
};

}  // namespace pgweir::pool

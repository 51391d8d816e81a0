// SharedPool: one pool of servers for the threads of a process: a pool::Shard under one mutex. It
// lends, makes those wait whom it cannot serve, and says what is to be opened and closed. It knows
// nothing of libpq and starts no thread; its Host does what takes long.
//
// Order: first come, first served, but for `barging_max`. A server that is released while the first
// in the line has waited for less than that is offered: whoever runs may take it before the first
// in the line has woken. Handing over strictly costs a change of threads for every lease
// (client-library reference, 3.4: 17 times as much where leases take no time at all).
//
// Who waits is a thread that sleeps (acquire) or an object that is called (acquire_later); they
// stand in one line. A thread may be passed by one that runs already; who is called is never, it is
// handed the server.
//
// Any thread may call anything. Nothing allocates but the opening of a server and a call.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/list.h"
#include "base/time.h"
#include "client/roster.h"
#include "client/server.h"
#include "client/usage.h"
#include "pool/exchange.h"
#include "pool/shard.h"

namespace pgweir::client {

// What a SharedPool wants done. It calls with its mutex held: an implementation queues the work for
// a thread of its own, and calls nothing of the pool before it has returned.
class Host {
 public:
  virtual ~Host() = default;
  // Log in. Then handle_opened or handle_open_failed.
  virtual void open(Server& server) = 0;
  // Say good-bye and wait for the end. Then handle_ended.
  virtual void close(Server& server) = 0;
};

// A thread that wants a server.
struct Request {
  code_location where;
  const char* tag = nullptr;
  base::Instant deadline = base::kNever;  // By the precise clock. In the past: do not wait.
  std::stop_token stop = {};
  const void* thread = thread_token();  // That waits; another one may serve it.
  bool is_lasting = false;              // The lease is meant to last.
};

enum class Denial : std::uint8_t {
  TimedOut,     // The deadline passed.
  QueueFull,    // As many as are allowed wait already.
  LoginFailed,  // The server refuses us for good: `failure` says why.
  Closed,       // close() was called.
  Cancelled,    // By the request's stop token.
};

struct Grant {
  Server* server = nullptr;  // Or …
  Denial denial = Denial::TimedOut;
  std::shared_ptr<const pool::Failure> failure = {};  // Of the last login, if none worked since.
};

// Somebody in the line.
class Place : public pool::Waiter, public base::ListHook<Place> {
 public:
  // The request outlives the wait.
  explicit Place(const Request& wants) : request_(wants) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

 private:
  friend class SharedPool;
  // The mutex is held. Whether it was woken and takes an offer itself.
  virtual bool wake_for_offer() = 0;
  // The mutex is held; grant_ is there.
  virtual void wake_with_grant() = 0;

  const Request& request_;
  base::Instant since_;  // Precise.
  std::optional<Grant> grant_;
};

// Somebody who waits without a thread. Made by std::make_shared: the pool keeps it while it waits.
class Callee : public Place, public std::enable_shared_from_this<Callee> {
 public:
  explicit Callee(Request wants) : Place(own_request_), own_request_(std::move(wants)) {}
  const Request& own_request() const { return own_request_; }

 protected:
  // The wait is over: once for each acquire_later() that brought nothing, by whichever thread ended
  // it. It may call the pool. A server is the callee's until it gives it back.
  virtual void handle_grant(const Grant& grant) = 0;

 private:
  friend class SharedPool;
  bool wake_for_offer() final { return false; }
  void wake_with_grant() final { calls_->push_back(std::move(self_)); }

  const Request own_request_;
  std::shared_ptr<Callee> self_;                           // While it waits.
  std::vector<std::shared_ptr<Callee>>* calls_ = nullptr;  // Of the pool.
};

struct SharedPoolOptions {
  pool::Options pool;  // wait_max and wait_notice_after are not used: every request has a deadline.
  base::Duration barging_max = std::chrono::milliseconds(1);
};

class SharedPool {
 public:
  // Borrows the host. seed: of the jitter of lifetimes.
  SharedPool(const SharedPoolOptions& options, std::uint64_t seed, Host& host);
  // REQUIRES: nobody waits, and every server has ended.
  ~SharedPool();
  SharedPool(const SharedPool&) = delete;
  SharedPool& operator=(const SharedPool&) = delete;

  // A server, or why not. Blocks until one of both is known. The server is the caller's until
  // release() or discard().
  Grant acquire(const Request& request);
  // The same without blocking: what is known at once, or nothing; then the callee is called later.
  // The deadline of its request does not count: see withdraw().
  std::optional<Grant> acquire_later(const std::shared_ptr<Callee>& callee);
  // It waits no longer, and is called with that. Nothing when its wait is over.
  void withdraw(Callee& callee, Denial denial);
  // An idle one, or nullptr: never waits, opens none, and never passes one who waits.
  Server* acquire_if_idle(const Request& request);

  // The lease is over and the server is as clean as a new one.
  void release(Server& server);
  // The lease is over, and nobody else shall have that server.
  void discard(Server& server);

  void handle_opened(Server& server);
  // No connection is left.
  void handle_open_failed(Server& server, pool::Failure failure);
  void handle_ended(Server& server);

  // Lifetimes, idle times, pauses after failed logins: what is due is done. Returns when to call
  // again, by the coarse clock; sooner is allowed.
  base::Instant handle_time();

  // Of these only the limits may differ from what holds. What is above a lower one is closed when
  // it is given back.
  void set_limits(const pool::Options& options);
  // Most servers at the same time.
  std::uint32_t limit() const;
  // Refuses who waits and who comes. Idle servers are closed now, lent ones when they come back.
  void close();
  // Whether all servers have ended by then, by the precise clock. REQUIRES: close() was called.
  bool wait_until_ended(base::Instant deadline);

  pool::PoolCounts counts() const;
  // Since it began.
  Usage::Report usage() const;
  // The leases of this moment, the oldest first.
  std::vector<LeaseNote> leases() const;
  // Those that have lasted since before then, each once.
  std::vector<LeaseNote> take_overdue_leases(base::Instant before);

 private:
  // A thread that waits. Lives on its stack.
  struct Sleeper final : Place {
    using Place::Place;
    bool wake_for_offer() override {
      if (!std::exchange(is_called, true)) wake.notify_one();
      return true;
    }
    void wake_with_grant() override { wake.notify_one(); }
    std::condition_variable wake;
    bool is_called = false;     // Woken for an offer, and has not looked yet.
    bool is_cancelled = false;  // By its stop token.
  };
  using Lock = std::unique_lock<std::mutex>;

  // A turn with the mutex; behind it those are called whose wait has ended in it.
  class Turn {
   public:
    explicit Turn(SharedPool& pool) : pool_(pool), lock_(pool.mutex_) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (lock_.owns_lock()) end();
    }
    void end() {
      if (!pool_.calls_.empty()) return end_with_calls();
      lock_.unlock();
    }
    // Before it is interrupted by a wait: calls, and has the mutex again.
    void pause();
    void resume() { lock_.lock(); }
    Lock& lock() { return lock_; }

   private:
    void end_with_calls();

    SharedPool& pool_;
    Lock lock_;
  };

  // How often in a row a server is offered; then the shard decides what becomes of it, its
  // lifetime included.
  static constexpr std::uint32_t kOfferCountMax = 64;

  Server* find_now(const Request& request);
  void stand_in_line(Place& place);
  Grant wait(Turn& turn, Sleeper& sleeper);
  void sleep(Turn& turn, Sleeper& sleeper);
  bool take_called_offer(Sleeper& sleeper);
  void give_up(Place& place, Denial denial);
  void note_lease(Server& server, const Request& request);
  Grant lend(Server& server, const Request& request);
  void take_back(Server& server);
  Server* take_offer();
  bool may_offer(const Server& server) const;
  bool may_pass(const Place& first) const;
  void offer(Server& server);
  void call_for_offers();
  void pass_on(Server& server, pool::Waiter* waiter);
  void settle(Place& place, const Grant& grant);
  void refuse(const pool::Refuse& refusal);
  void carry_out_decisions();
  void take_decisions();
  Server& add_server();
  void forget(const Server& server);

  static constexpr base::PoolId kPool{0};

  const base::Duration barging_max_;
  Host& host_;

  mutable std::mutex mutex_;
  pool::Exchange exchange_;
  pool::Shard shard_;
  base::Instant now_;                           // Coarse; never goes back.
  base::List<Place, Place> line_;               // In the order of the shard's.
  std::vector<std::shared_ptr<Callee>> calls_;  // To be made when the mutex is free.
  base::List<Server, InOffers> offers_;         // Leased from the shard, lent to nobody.
  Roster servers_;
  std::condition_variable ended_;
  Usage usage_;
  bool is_closed_ = false;
};

}  // namespace pgweir::client

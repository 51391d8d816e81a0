// Database: a SharedPool of PostgreSQL connections with all that serves it: threads that log in,
// and one that says good-bye, tidies up and looks at the clock. It lends servers; what is done with
// one is Conversation's, and what users see of both is in include/pgweir/.
//
// Any thread may call anything. It lives until the last of its servers has ended, however long
// somebody keeps a lease.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "budget/allowance.h"
#include "client/blocking_work.h"
#include "client/fork_generation.h"
#include "client/log_lines.h"
#include "client/session_settings.h"
#include "client/settings.h"
#include "client/shared_pool.h"
#include "client/sign.h"
#include "loop/loop.h"
#include "pgweir/observer.hpp"
#include "pgweir/result.hpp"

namespace pgweir::client {

class Database final : public Host, public std::enable_shared_from_this<Database> {
 public:
  // Opens nothing and starts no thread before somebody asks. Errors: config.
  // observer: is told what happens; may be null.
  static result<std::shared_ptr<Database>> create(Settings settings, log_function log,
                                                  std::shared_ptr<pool_observer> observer);

  // A server that is fit for use; the caller gives it back. request.deadline counts; kNever means
  // what pool_timeout says. Errors: acquire_timeout, queue_full, connect, pool_closed, cancelled.
  result<Server*> acquire(Request request);
  // Never waits, and opens none.
  Server* acquire_if_idle(const Request& request);
  // When a request that names no deadline is over.
  void set_deadline(Request& request, base::Instant since) const;
  // Tells the observer of a lease that was asked for then, or of its lack.
  void note_lease(const result<Server*>& server, base::Instant since, const code_location& where);
  // For who waits without a thread (lease_wait.h).
  SharedPool& pool() { return pool_; }
  // However it was left: it is lent again when it is clean. Never blocks on the server.
  void give_back(Server& server);
  // It is closed.
  void discard(Server& server);

  // This process was forked off the one that made it: its threads are not here, and its servers are
  // the other's. acquire() says so; give_back() and discard() leave them alone, and nobody may
  // close() or destroy it.
  bool is_of_parent() const { return generation_ != fork_generation(); }
  // Never to be destroyed: that would say good-bye on the parent's connections.
  void stay_for_ever() { forever_ = shared_from_this(); }

  // Nobody gets a server any more, and who waits is refused. Idle servers are closed. Returns
  // whether all have ended by then, by the precise clock.
  bool close(base::Instant deadline);
  // Every statement that is under way is given up, and whatever is begun after it. Returns whether
  // all servers have ended by then. REQUIRES: close() was called.
  bool abort(base::Instant deadline);
  // Raised by close() and by abort().
  const Sign& closed() const { return closed_; }
  const Sign& aborted() const { return aborted_; }
  // Stops when abort() is called.
  std::stop_token aborting() const { return aborting_.get_token(); }
  bool is_closed() const { return is_closed_; }
  bool is_aborted() const { return is_aborted_; }

  const Settings& settings() const { return settings_; }
  obs::Log& log() { return lines_.log(); }
  // How many statements a server may keep prepared.
  std::size_t statement_count_max() const {
    return prepares_ ? settings_.library.statement_count_max : 0;
  }
  // One that a server had prepared was gone, or its name taken. When that goes on nothing is
  // prepared any more.
  void note_lost_statement(const code_location& where);
  // This thread is about to wait: said, once for each place, if it runs an event loop.
  void report_blocking(const code_location& where);
  // For what ends in time by itself, as logins do.
  BlockingWork& timed_work() { return logins_; }
  // For cancels: where nobody answers them they hang.
  BlockingWork& blocking_work() { return cancels_; }
  pool::PoolCounts counts() const { return pool_.counts(); }
  std::uint32_t limit() const { return pool_.limit(); }
  // Of the pgweir that the first login has found in between; empty: there is none.
  std::string pgweir_version() const;
  std::vector<LeaseNote> leases() const { return pool_.leases(); }
  Usage::Report usage() const { return pool_.usage(); }

 private:
  Database(Settings settings, std::shared_ptr<loop::Loop> loop, log_function log,
           std::shared_ptr<pool_observer> observer);

  void open(Server& server) override;
  void close(Server& server) override;

  result<Server*> find_server(Request request);
  void note_end_of_lease(const Server& server);
  void log_in_to(Server& server, int stop);
  bool meet(PGconn* connection, int stop);
  void note_pgweir(std::string_view version);
  void fit_limit(const budget::Sum& capacity);
  void say_good_bye(Server& server);
  void handle_ended(Server& server);
  void tidy_up(Server& server);
  void start_maintenance();
  void keep_time();
  void stop_threads();
  bool wait_until_ended(base::Instant deadline);
  void report_overdue_leases();
  void report_nesting(const Request& request);
  bool is_fit(Server& server) const;

  const Settings settings_;
  const std::uint64_t generation_ = fork_generation();
  std::shared_ptr<Database> forever_;
  const std::shared_ptr<pool_observer> observer_;
  LogLines lines_;
  const std::shared_ptr<loop::Loop> loop_;
  BlockingWork logins_;
  BlockingWork cancels_;
  std::once_flag is_maintained_;
  std::atomic<bool> has_met_ = false;
  std::string pgweir_version_;           // Written before …
  std::atomic<bool> is_behind_ = false;  // … this is.
  std::mutex blocking_mutex_;
  std::set<std::pair<std::string_view, std::uint_least32_t>> blocking_places_;  // Reported.
  const SessionSettings session_;
  std::atomic<bool> prepares_;
  std::atomic<std::uint32_t> lost_statement_count_ = 0;
  std::atomic<bool> is_closed_ = false;
  std::atomic<bool> is_aborted_ = false;
  const Sign closed_;
  const Sign aborted_;
  std::stop_source aborting_;
  loop::TimerId tick_ = loop::TimerId::None;  // The maintenance thread's.
  SharedPool pool_;
};

// What somebody is told who uses the parent's pool or a lease of it.
error_info explain_fork(const code_location& where);

}  // namespace pgweir::client

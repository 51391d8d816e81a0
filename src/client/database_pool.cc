#include "pgweir/database_pool.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "client/census.h"
#include "client/clock.h"
#include "client/database.h"
#include "client/lease_wait.h"
#include "pgweir/database.hpp"

namespace pgweir {
inline namespace v1 {
namespace {

constexpr base::Duration kAskServerMax = std::chrono::milliseconds(500);
constexpr base::Duration kAbortMax = std::chrono::milliseconds(500);
constexpr base::Duration kFarewell = std::chrono::seconds(1);

std::shared_ptr<client::Database> open(const database_options& options, code_location where) {
  auto settings = client::read_settings(options.url(), std::thread::hardware_concurrency());
  auto database =
      client::Database::create(std::move(settings).value(), options.log(), options.observer())
          .value();
  client::note_pool(*database, where);
  return database;
}

client::Request to_request(const acquire_options& options, code_location where) {
  client::Request request{
      .where = where, .tag = options.tag, .stop = options.stop, .is_lasting = options.is_lasting};
  if (options.timeout) request.deadline = client::precise_now() + *options.timeout;
  return request;
}

std::vector<holder_info> to_holders(const std::vector<client::LeaseNote>& leases) {
  const base::Instant now = client::coarse_now();
  std::vector<holder_info> holders;
  for (const client::LeaseNote& lease : leases) {
    holders.push_back(
        {.where = lease.where,
         .tag = lease.tag == nullptr ? "" : lease.tag,
         .held_for = std::chrono::duration_cast<std::chrono::milliseconds>(now - lease.since)});
  }
  return holders;
}

}  // namespace

database_pool::database_pool(const database_options& options, code_location where)
    : database_(open(options, where)) {}

database_pool::~database_pool() {
  if (database_ == nullptr) return;
  if (database_->is_of_parent()) {
    database_->stay_for_ever();
  } else {
    client::forget_pool(*database_);
    database_->close(client::precise_now() + kFarewell);
  }
}

result<connection_lease> database_pool::try_acquire(const acquire_options& options,
                                                    code_location where) {
  auto server = database_->acquire(to_request(options, where));
  if (!server) return std::move(server).error();
  return connection_lease(connection(*database_, **server));
}

pending_lease database_pool::begin_acquire(const acquire_options& options, code_location where) {
  return {client::LeaseWait::begin(database_, to_request(options, where)), *database_,
          options.stop};
}

std::optional<connection_lease> database_pool::acquire_if_idle(code_location where) {
  client::Server* server = database_->acquire_if_idle({.where = where});
  if (server == nullptr) return std::nullopt;
  return connection_lease(connection(*database_, *server));
}

bool database_pool::check(std::chrono::milliseconds time_max, code_location where) noexcept {
  const base::Instant until = client::precise_now() + time_max;
  auto lease = try_acquire({.timeout = time_max, .tag = "check"}, where);
  if (!lease) return false;
  const auto left = std::max(until - client::precise_now(), base::Duration(1));
  return (*lease)->try_query(sql("select 1", where).timeout(left)).has_value();
}

pool_stats database_pool::stats() const noexcept {
  const pool::PoolCounts counts = database_->counts();
  return {.limit = database_->limit(),
          .open = counts.idle + counts.leased,
          .idle = counts.idle,
          .in_use = counts.leased,
          .connecting = counts.connecting,
          .closing = counts.closing,
          .waiting = counts.waiting};
}

pool_info database_pool::info(code_location where) const {
  pool_info info;
  static_cast<pool_stats&>(info) = stats();
  info.holders = to_holders(database_->leases());
  info.pgweir_version = database_->pgweir_version();
  const client::Usage::Report usage = database_->usage();
  info.in_use_peak = usage.lent_max;
  info.wait_p99 = std::chrono::duration_cast<std::chrono::microseconds>(usage.wait_p99);
  client::Request request{.where = where, .tag = "info"};
  request.deadline = client::precise_now() + kAskServerMax;
  auto server = database_->acquire(request);
  if (!server) {
    info.problem = server.error().text;
    return info;
  }
  connection_lease lease{connection(*database_, **server)};
  const auto answer = lease->try_query(
      sql("select current_setting('max_connections')::int4, count(*)::int4 from pg_stat_activity "
          "where datid is not null and usesysid is not null",
          where)
          .timeout(kAskServerMax));
  if (!answer) {
    info.problem = answer.error().text;
    return info;
  }
  const auto [max, active] = answer->one().as<std::uint32_t, std::uint32_t>();
  info.server = server_info{.max_connections = max, .active_connections = active};
  return info;
}

shutdown_report database_pool::shutdown(std::chrono::milliseconds drain) {
  shutdown_report report;
  if (database_->is_of_parent()) return report;
  client::forget_pool(*database_);
  report.is_complete = database_->close(client::precise_now() + drain);
  report.abandoned = to_holders(database_->leases());
  if (!report.is_complete) report.is_complete = database_->abort(client::precise_now() + kAbortMax);
  return report;
}

void database_pool::pause_before_retry(const error& failed, unsigned attempt,
                                       const transaction_options& options) {
  const auto pause = options.pause_after(failed.info(), attempt);
  if (!pause) throw_error(failed.info());
  std::this_thread::sleep_for(*pause);
}

// Never destroyed: threads of the program may use it until the very end. A process that was forked
// off gets one of its own.
database_pool& database(code_location where) {
  struct Instance {
    const std::uint64_t generation = client::fork_generation();
    database_pool pool;
  };
  static std::atomic<Instance*> current = nullptr;
  static std::mutex mutex;
  const auto is_ours = [](const Instance* instance) {
    return instance != nullptr && instance->generation == client::fork_generation();
  };
  if (Instance* instance = current.load(); is_ours(instance)) return instance->pool;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!is_ours(current.load())) current = new Instance{.pool = database_pool({}, where)};
  return current.load()->pool;
}

}  // namespace v1
}  // namespace pgweir

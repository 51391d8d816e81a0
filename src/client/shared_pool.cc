#include "client/shared_pool.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "client/clock.h"

namespace pgweir::client {
namespace {

std::chrono::steady_clock::time_point to_steady(base::Instant instant) {
  return std::chrono::steady_clock::time_point(instant.time_since_epoch());
}

// Who waits has a deadline of its own, and is told nothing meanwhile.
pool::Options without_waiting_times(pool::Options options) {
  options.wait_max = base::Duration::zero();
  options.wait_notice_after = base::Duration::zero();
  return options;
}

}  // namespace

SharedPool::SharedPool(const SharedPoolOptions& options, std::uint64_t seed, Host& host)
    : barging_max_(options.barging_max), host_(host), shard_(exchange_, seed), now_(coarse_now()) {
  const Lock lock(mutex_);
  const pool::LevelId own = exchange_.add_level("pool", pool::kUnlimited);
  shard_.add_pool({.name = "pool", .options = without_waiting_times(options.pool), .levels = {own}},
                  now_);
  carry_out_decisions();
}

SharedPool::~SharedPool() { ASSERT(line_.empty() && servers_.is_empty()); }

void SharedPool::Turn::end_with_calls() {
  const auto calls = std::exchange(pool_.calls_, {});
  lock_.unlock();
  for (const auto& callee : calls) callee->handle_grant(*callee->grant_);
}

void SharedPool::Turn::pause() {
  if (pool_.calls_.empty()) return;
  end();
  resume();
}

Grant SharedPool::acquire(const Request& request) {
  Turn turn(*this);
  if (is_closed_) return {.denial = Denial::Closed};
  if (Server* server = find_now(request)) return {.server = server};
  Sleeper sleeper(request);
  stand_in_line(sleeper);
  return wait(turn, sleeper);
}

std::optional<Grant> SharedPool::acquire_later(const std::shared_ptr<Callee>& callee) {
  const Turn turn(*this);
  if (is_closed_) return Grant{.denial = Denial::Closed};
  if (Server* server = find_now(callee->own_request_)) return Grant{.server = server};
  callee->grant_.reset();
  callee->self_ = callee;
  callee->calls_ = &calls_;
  stand_in_line(*callee);
  return std::nullopt;
}

void SharedPool::withdraw(Callee& callee, Denial denial) {
  const Turn turn(*this);
  if (callee.self_ != nullptr) give_up(callee, denial);
}

// What needs no waiting.
Server* SharedPool::find_now(const Request& request) {
  Server* server = take_offer();
  if (server == nullptr) {
    now_ = coarse_now();
    server = static_cast<Server*>(shard_.acquire_idle(kPool));
  }
  if (server == nullptr) return nullptr;
  usage_.note_no_wait();
  note_lease(*server, request);
  return server;
}

void SharedPool::stand_in_line(Place& place) {
  shard_.acquire(place, kPool, now_);
  place.since_ = precise_now();
  line_.push_back(place);
  carry_out_decisions();
}

Server* SharedPool::acquire_if_idle(const Request& request) {
  const Lock lock(mutex_);
  if (is_closed_ || !line_.empty()) return nullptr;
  auto* server = static_cast<Server*>(shard_.acquire_idle(kPool));
  if (server == nullptr) return nullptr;
  now_ = coarse_now();
  usage_.note_no_wait();
  note_lease(*server, request);
  return server;
}

void SharedPool::note_lease(Server& server, const Request& request) {
  Roster::note_lease(server, {.where = request.where,
                              .tag = request.tag,
                              .since = now_,
                              .thread = request.thread,
                              .is_lasting = request.is_lasting});
  usage_.note_lent();
}

Grant SharedPool::lend(Server& server, const Request& request) {
  note_lease(server, request);
  return {.server = &server};
}

Grant SharedPool::wait(Turn& turn, Sleeper& sleeper) {
  if (!sleeper.request_.stop.stop_possible()) {
    sleep(turn, sleeper);
    return *sleeper.grant_;
  }
  // The callback may be running in another thread, or at once in this one: it takes the mutex, and
  // its end is awaited without.
  turn.end();
  const std::stop_callback cancel(sleeper.request_.stop, [&] {
    const Lock inner(mutex_);
    sleeper.is_cancelled = true;
    sleeper.wake.notify_one();
  });
  turn.resume();
  sleep(turn, sleeper);
  turn.end();
  return *sleeper.grant_;
}

// Until it has a grant, in whatever way.
void SharedPool::sleep(Turn& turn, Sleeper& sleeper) {
  const base::Instant deadline = sleeper.request_.deadline;
  bool is_late = false;
  while (!sleeper.grant_ && !take_called_offer(sleeper)) {
    if (sleeper.is_cancelled) return give_up(sleeper, Denial::Cancelled);
    if (is_late) return give_up(sleeper, Denial::TimedOut);
    turn.pause();
    if (sleeper.grant_ || sleeper.is_called || sleeper.is_cancelled) continue;
    if (deadline == base::kNever) {
      sleeper.wake.wait(turn.lock());
    } else {
      is_late =
          sleeper.wake.wait_until(turn.lock(), to_steady(deadline)) == std::cv_status::timeout;
    }
  }
}

bool SharedPool::take_called_offer(Sleeper& sleeper) {
  if (!std::exchange(sleeper.is_called, false)) return false;
  Server* offered = offers_.pop_back();
  if (offered == nullptr) return false;  // Somebody was faster.
  shard_.leave(sleeper);
  settle(sleeper, lend(*offered, sleeper.request_));
  call_for_offers();
  return true;
}

void SharedPool::give_up(Place& place, Denial denial) {
  shard_.leave(place);
  Grant grant{.denial = denial};
  if (const pool::Failure* failure = shard_.last_failure(kPool)) {
    grant.failure = std::make_shared<const pool::Failure>(*failure);
  }
  settle(place, grant);
  call_for_offers();
}

void SharedPool::settle(Place& place, const Grant& grant) {
  place.base::ListHook<Place>::unlink();
  if (grant.denial != Denial::QueueFull) usage_.note_wait(precise_now() - place.since_);
  place.grant_ = grant;
  place.wake_with_grant();
}

// Whether who comes now, or runs still, may be served before the first in the line.
bool SharedPool::may_pass(const Place& first) const {
  return precise_now() - first.since_ < barging_max_;
}

Server* SharedPool::take_offer() {
  if (offers_.empty()) return nullptr;
  const Place* first = line_.front();
  if (first != nullptr && !may_pass(*first)) return nullptr;
  return offers_.pop_back();
}

bool SharedPool::may_offer(const Server& server) const {
  const Place* first = line_.front();
  return first != nullptr && !is_closed_ && server.offer_count_ < kOfferCountMax &&
         may_pass(*first);
}

void SharedPool::offer(Server& server) {
  ++server.offer_count_;
  offers_.push_back(server);
  call_for_offers();
}

// No server stays on offer while nobody is on the way to it.
void SharedPool::call_for_offers() {
  while (!offers_.empty()) {
    Place* const first = line_.front();
    if (first == nullptr) break;
    if (first->wake_for_offer()) return;
    shard_.leave(*first);
    settle(*first, lend(*offers_.pop_back(), first->request_));
  }
  if (offers_.empty()) return;
  while (Server* server = offers_.pop_front()) pass_on(*server, shard_.release(*server, now_));
  take_decisions();
}

void SharedPool::take_back(Server& server) {
  Roster::note_end_of_lease(server);
  usage_.note_returned();
}

void SharedPool::release(Server& server) {
  const Turn turn(*this);
  take_back(server);
  if (may_offer(server)) return offer(server);
  now_ = coarse_now();
  server.offer_count_ = 0;
  pass_on(server, shard_.release(server, now_));
  carry_out_decisions();
}

void SharedPool::discard(Server& server) {
  const Turn turn(*this);
  take_back(server);
  now_ = coarse_now();
  shard_.handle_closing(server, now_);
  host_.close(server);
  carry_out_decisions();
}

void SharedPool::pass_on(Server& server, pool::Waiter* waiter) {
  if (waiter == nullptr) return;
  auto& place = static_cast<Place&>(*waiter);
  settle(place, lend(server, place.request_));
}

void SharedPool::handle_opened(Server& server) {
  const Turn turn(*this);
  now_ = coarse_now();
  pass_on(server, shard_.handle_opened(server, now_));
  carry_out_decisions();
}

void SharedPool::handle_open_failed(Server& server, pool::Failure failure) {
  const Turn turn(*this);
  now_ = coarse_now();
  shard_.handle_open_failed(server, std::move(failure), now_);
  shard_.handle_ended(server, now_);
  forget(server);
  carry_out_decisions();
}

void SharedPool::handle_ended(Server& server) {
  const Turn turn(*this);
  now_ = coarse_now();
  shard_.handle_ended(server, now_);
  forget(server);
  carry_out_decisions();
}

base::Instant SharedPool::handle_time() {
  const Turn turn(*this);
  now_ = coarse_now();
  shard_.handle_time(now_);
  carry_out_decisions();
  return shard_.next_deadline();
}

void SharedPool::set_limits(const pool::Options& options) {
  const Turn turn(*this);
  if (is_closed_) return;
  now_ = coarse_now();
  shard_.set_options(kPool, without_waiting_times(options), now_);
  carry_out_decisions();
}

std::uint32_t SharedPool::limit() const {
  const Lock lock(mutex_);
  return shard_.options(kPool).server_count_max;
}

void SharedPool::close() {
  const Turn turn(*this);
  if (std::exchange(is_closed_, true)) return;
  now_ = coarse_now();
  while (Place* place = line_.front()) {
    shard_.leave(*place);
    settle(*place, {.denial = Denial::Closed});
  }
  pool::Options options = shard_.options(kPool);
  options.server_count_min = 0;
  shard_.set_options(kPool, options, now_);
  shard_.recycle(kPool, now_);
  call_for_offers();
  carry_out_decisions();
}

bool SharedPool::wait_until_ended(base::Instant deadline) {
  Lock lock(mutex_);
  ASSERT(is_closed_);
  const auto is_over = [this] { return servers_.is_empty(); };
  if (deadline == base::kNever) {
    ended_.wait(lock, is_over);
    return true;
  }
  return ended_.wait_until(lock, to_steady(deadline), is_over);
}

// Whoever was called for an offer may have been served or refused otherwise.
void SharedPool::carry_out_decisions() {
  take_decisions();
  call_for_offers();
}

void SharedPool::take_decisions() {
  if (!shard_.has_decisions()) return;
  while (const auto decision = shard_.take_decision()) {
    if (std::holds_alternative<pool::Open>(*decision)) {
      host_.open(add_server());
    } else if (const auto* close = std::get_if<pool::Close>(&*decision)) {
      host_.close(static_cast<Server&>(*close->server));
    } else if (const auto* refusal = std::get_if<pool::Refuse>(&*decision)) {
      refuse(*refusal);
    }
    // One shard alone gives nothing and wakes nobody, and nobody is told that he waits.
  }
}

void SharedPool::refuse(const pool::Refuse& refusal) {
  const bool is_full = refusal.reason == pool::RefuseReason::QueueFull;
  settle(static_cast<Place&>(*refusal.waiter),
         {.denial = is_full ? Denial::QueueFull : Denial::LoginFailed, .failure = refusal.failure});
}

Server& SharedPool::add_server() {
  Server& server = servers_.add();
  shard_.handle_opening(server, kPool, now_);
  return server;
}

void SharedPool::forget(const Server& server) {
  servers_.remove(server);
  if (servers_.is_empty()) ended_.notify_all();
}

pool::PoolCounts SharedPool::counts() const {
  const Lock lock(mutex_);
  return shard_.counts(kPool);
}

Usage::Report SharedPool::usage() const {
  const Lock lock(mutex_);
  return usage_.report();
}

std::vector<LeaseNote> SharedPool::take_overdue_leases(base::Instant before) {
  const Lock lock(mutex_);
  return servers_.take_overdue_leases(before);
}

std::vector<LeaseNote> SharedPool::leases() const {
  std::vector<LeaseNote> lent;
  {
    const Lock lock(mutex_);
    lent = servers_.leases();
  }
  std::stable_sort(lent.begin(), lent.end(), [](const LeaseNote& left, const LeaseNote& right) {
    return left.since < right.since;
  });
  return lent;
}

}  // namespace pgweir::client

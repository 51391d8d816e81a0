#include "pgweir/pending.hpp"

#include <poll.h>

#include <utility>

#include "client/clock.h"
#include "client/event_loop.h"
#include "client/lease_wait.h"
#include "client/statement_call.h"

namespace pgweir {
inline namespace v1 {
namespace {

std::chrono::steady_clock::time_point to_steady(base::Instant instant) {
  return std::chrono::steady_clock::time_point(instant.time_since_epoch());
}

}  // namespace

pending_lease::pending_lease(std::shared_ptr<client::LeaseWait> wait, client::Database& database,
                             std::stop_token stop) noexcept
    : wait_(std::move(wait)), database_(&database), stop_(std::move(stop)) {}

pending_lease& pending_lease::operator=(pending_lease&& other) noexcept {
  if (this != &other) {
    if (wait_) wait_->forget();
    wait_ = std::move(other.wait_);
    database_ = other.database_;
    stop_ = std::move(other.stop_);
  }
  return *this;
}

pending_lease::~pending_lease() {
  if (wait_) wait_->forget();
}

bool pending_lease::is_over() const noexcept { return wait_->is_over(); }

bool pending_lease::on_over(std::function<void()> call) { return wait_->on_over(std::move(call)); }

std::chrono::steady_clock::time_point pending_lease::deadline() const noexcept {
  return to_steady(wait_->deadline());
}

void pending_lease::time_out() { wait_->give_up(client::Denial::TimedOut); }

void pending_lease::cancel() { wait_->give_up(client::Denial::Cancelled); }

result<connection_lease> pending_lease::take() {
  auto server = wait_->take();
  if (!server) return std::move(server).error();
  return connection_lease(connection(*database_, **server));
}

pending_rows::pending_rows(client::Database& database, client::Server& server, const sql& call)
    : call_(std::make_unique<client::StatementCall>(database, server, call)),
      server_(&server),
      stops_{call.stop(), database.aborting()} {}

pending_rows::pending_rows(pending_rows&&) noexcept = default;
pending_rows& pending_rows::operator=(pending_rows&&) noexcept = default;
pending_rows::~pending_rows() = default;

bool pending_rows::is_over() const noexcept { return call_->steps().is_over(); }

void pending_rows::step() { call_->steps().step(); }

int pending_rows::descriptor() const noexcept { return PQsocket(server_->connection.get()); }

bool pending_rows::wants_read() const noexcept { return (call_->steps().events() & POLLIN) != 0; }

bool pending_rows::wants_write() const noexcept { return (call_->steps().events() & POLLOUT) != 0; }

std::chrono::steady_clock::time_point pending_rows::deadline() const noexcept {
  return to_steady(call_->steps().look_again_at());
}

void pending_rows::cancel() { call_->steps().stop(); }

result<rows> pending_rows::take() { return call_->take(); }

event_loop_scope::event_loop_scope() noexcept { client::enter_event_loop(); }
event_loop_scope::~event_loop_scope() { client::leave_event_loop(); }

}  // namespace v1
}  // namespace pgweir

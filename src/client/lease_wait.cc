#include "client/lease_wait.h"

#include <utility>

#include "client/clock.h"
#include "client/denial.h"
#include "client/fitness.h"

namespace pgweir::client {
namespace {

Request with_deadline(const Database& database, Request request) {
  database.set_deadline(request, precise_now());
  request.thread = nullptr;  // None waits, so none waits for itself.
  return request;
}

}  // namespace

LeaseWait::LeaseWait(std::shared_ptr<Database> database, Request request)
    : Callee(with_deadline(*database, std::move(request))),
      database_(std::move(database)),
      since_(precise_now()) {}

std::shared_ptr<LeaseWait> LeaseWait::begin(std::shared_ptr<Database> database, Request request) {
  auto wait = std::make_shared<LeaseWait>(std::move(database), std::move(request));
  if (wait->database_->is_of_parent()) {
    wait->end(explain_fork(wait->own_request().where));
  } else {
    wait->seek();
  }
  return wait;
}

void LeaseWait::seek() {
  while (!is_over()) {
    const auto grant = database_->pool().acquire_later(shared_from_this());
    if (!grant) return;
    if (grant->server == nullptr) return handle_grant(*grant);
    if (!is_to_go_on_after(*grant->server)) return;
  }
}

void LeaseWait::handle_grant(const Grant& grant) {
  if (grant.server == nullptr) {
    return end(explain_denial(*database_, own_request(), grant, since_));
  }
  if (is_to_go_on_after(*grant.server)) seek();
}

// Whether that server was of no use.
bool LeaseWait::is_to_go_on_after(Server& server) {
  const config::LibraryOptions& options = database_->settings().library;
  switch (look_at(server, options.ping_idle_after)) {
    case Fitness::Fit: end(&server); return false;
    case Fitness::Unfit: database_->pool().discard(server); return true;
    case Fitness::Unknown: break;
  }
  database_->timed_work().add([self = std::static_pointer_cast<LeaseWait>(shared_from_this()),
                               &server, time_max = options.ping_timeout](int) {
    if (answers(server, time_max)) return self->end(&server);
    self->database_->pool().discard(server);
    self->seek();
  });
  return false;
}

// A server that comes after the end goes back.
void LeaseWait::end(result<Server*> outcome) {
  std::function<void()> call;
  std::unique_lock lock(mutex_);
  if (outcome_ || is_forgotten_) {
    lock.unlock();
    if (outcome) database_->pool().release(**outcome);
    return;
  }
  outcome_ = std::move(outcome);
  database_->note_lease(*outcome_, since_, own_request().where);
  call.swap(call_);
  lock.unlock();
  if (call) call();
}

bool LeaseWait::is_over() const {
  const std::lock_guard lock(mutex_);
  return outcome_.has_value() || is_forgotten_;
}

bool LeaseWait::on_over(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  if (outcome_) return false;
  call_ = std::move(call);
  return true;
}

void LeaseWait::give_up(Denial why) {
  if (is_over()) return;
  database_->pool().withdraw(*this, why);
  // While a server is asked whether it is there, it is in no line.
  if (!is_over()) {
    end(explain_denial(*database_, own_request(), Grant{.denial = why}, since_));
  }
}

result<Server*> LeaseWait::take() {
  const std::lock_guard lock(mutex_);
  is_forgotten_ = true;
  return std::move(*outcome_);
}

void LeaseWait::forget() {
  std::unique_lock lock(mutex_);
  call_ = nullptr;
  if (std::exchange(is_forgotten_, true)) return;
  const std::optional<result<Server*>> outcome = std::exchange(outcome_, std::nullopt);
  lock.unlock();
  if (!outcome) return database_->pool().withdraw(*this, Denial::Cancelled);
  if (*outcome) database_->give_back(***outcome);
}

}  // namespace pgweir::client

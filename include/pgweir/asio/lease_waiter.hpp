/// \file
/// lease_waiter: a pending_lease whose outcome an Asio handler gets.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "pgweir/asio/adapter.hpp"
#include "pgweir/asio/gate.hpp"

namespace pgweir {
inline namespace v1 {
namespace asio_adapter {

/// Waits for the news of a pending_lease. Its timer's wait keeps it, and counts as work of the
/// context; so it goes with the context, too.
template <class Handler>
class lease_waiter : public std::enable_shared_from_this<lease_waiter<Handler>> {
 public:
  /// Waits for nothing yet.
  lease_waiter(Handler handler, pending_lease pending)
      : executor_(asio::get_associated_executor(handler)),
        timer_(executor_),
        handler_(std::move(handler)),
        pending_(std::move(pending)) {}

  /// Once, by the thread that began the operation.
  void begin() {
    const std::weak_ptr<lease_waiter> weak = this->weak_from_this();
    timer_.expires_at(pending_.deadline());
    timer_.async_wait([self = this->shared_from_this()](const error_code& failed) {
      if (!failed) self->pending_.time_out();
    });
    auto slot = asio::get_associated_cancellation_slot(*handler_);
    if (slot.is_connected()) {
      slot.assign([weak](asio::cancellation_type) {
        if (const auto self = weak.lock()) self->pending_.cancel();
      });
    }
    const auto way = gate_of(executor_);
    if (pending_.stop().stop_possible()) stop_.emplace(pending_.stop(), canceller{weak, way});
    const bool is_told = pending_.on_over(
        [weak, way] { way->enter(weak, [](lease_waiter& self) { self.post_end(); }); });
    if (!is_told) post_end();
  }

 private:
  struct canceller {
    std::weak_ptr<lease_waiter> weak;
    std::shared_ptr<gate> way;
    void operator()() const {
      way->enter(weak, [](lease_waiter& self) { self.pending_.cancel(); });
    }
  };

  void post_end() {
    asio::post(executor_, [self = this->shared_from_this()] { self->end(); });
  }

  void end() {
    stop_.reset();
    asio::get_associated_cancellation_slot(*handler_).clear();
    timer_.cancel();
    result<connection_lease> outcome = pending_.take();
    Handler handler = std::move(*handler_);
    handler_.reset();
    const std::exception_ptr failed = exception_of(outcome);
    const event_loop_scope scope;
    std::move(handler)(failed, outcome ? std::move(*outcome) : connection_lease());
  }

  using executor_type = asio::associated_executor_t<Handler>;
  executor_type executor_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, executor_type>
      timer_;
  std::optional<Handler> handler_;
  pending_lease pending_;
  std::optional<std::stop_callback<canceller>> stop_;
};

/// Of the handler.
using lease_signature = void(std::exception_ptr, connection_lease);

/// What the token makes of it.
template <class Token>
auto initiate(pending_lease pending, Token&& token) {
  return asio::async_initiate<Token, lease_signature>(
      [](auto handler, pending_lease moved) {
        std::make_shared<lease_waiter<decltype(handler)>>(std::move(handler), std::move(moved))
            ->begin();
      },
      token, std::move(pending));
}

}  // namespace asio_adapter
}  // namespace v1
}  // namespace pgweir

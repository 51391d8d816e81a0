/// \file
/// rows_stepper: a pending_rows that an Asio context brings to its end.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <tuple>
#include <utility>

#include "pgweir/asio/adapter.hpp"
#include "pgweir/asio/gate.hpp"

namespace pgweir {
inline namespace v1 {
namespace asio_adapter {

/// A handler gets the rows.
struct all_rows {
  using signature = void(std::exception_ptr, rows);  ///< Of the handler.
  /// Calls it.
  template <class Handler>
  static void call(Handler handler, std::exception_ptr failed, result<rows> outcome) {
    std::move(handler)(failed, outcome ? std::move(*outcome) : rows::adopt(nullptr));
  }
};

/// A handler gets how many there were.
struct affected_rows {
  using signature = void(std::exception_ptr, std::uint64_t);  ///< Of the handler.
  /// Calls it.
  template <class Handler>
  static void call(Handler handler, std::exception_ptr failed, result<rows> outcome) {
    std::move(handler)(failed, outcome ? outcome->affected() : 0);
  }
};

/// A handler gets nothing.
struct no_rows {
  using signature = void(std::exception_ptr);  ///< Of the handler.
  /// Calls it.
  template <class Handler>
  static void call(Handler handler, std::exception_ptr failed, result<rows>) {
    std::move(handler)(failed);
  }
};

/// Steps a pending_rows whenever its socket or its clock asks for it. The waits of both keep it,
/// and go with their context. Handlers of a context with several threads may come at the same time:
/// the mutex puts them in a row.
template <class Handler, class Outcome>
class rows_stepper : public std::enable_shared_from_this<rows_stepper<Handler, Outcome>> {
 public:
  /// Watches nothing yet.
  rows_stepper(Handler handler, pending_rows pending)
      : executor_(asio::get_associated_executor(handler)),
        timer_(executor_),
        socket_(executor_),
        handler_(std::move(handler)),
        pending_(std::move(pending)) {}

  /// Once, by the thread that began the operation.
  void begin() {
    const std::weak_ptr<rows_stepper> weak = this->weak_from_this();
    auto slot = asio::get_associated_cancellation_slot(*handler_);
    if (slot.is_connected()) {
      slot.assign([weak](asio::cancellation_type) {
        if (const auto self = weak.lock()) self->cancel();
      });
    }
    if (!pending_.is_over()) {
      const auto way = gate_of(executor_);
      // libpq may close its own descriptor at any step, and another file gets its number.
      socket_.assign(::fcntl(pending_.descriptor(), F_DUPFD_CLOEXEC, 0));
      for (std::size_t i = 0; i < stops_.size(); ++i) {
        const std::stop_token& stop = pending_.stops()[i];
        if (stop.stop_possible()) stops_[i].emplace(stop, canceller{weak, way});
      }
    }
    const std::lock_guard lock(mutex_);
    is_begun_ = true;
    if (is_unwanted_) pending_.cancel();
    if (!pending_.is_over()) return watch();
    is_ended_ = true;
    asio::post(executor_, [self = this->shared_from_this()] { self->end(); });
  }

 private:
  struct canceller {
    std::weak_ptr<rows_stepper> weak;
    std::shared_ptr<gate> way;
    void operator()() const {
      way->enter(weak, [](rows_stepper& self) { self.cancel(); });
    }
  };

  void cancel() {
    const std::lock_guard lock(mutex_);
    is_unwanted_ = true;
    if (!is_begun_ || is_ended_) return;
    pending_.cancel();
    watch();
  }

  // The mutex is held.
  void watch() {
    if (pending_.wants_read() && !is_reading_) {
      is_reading_ = true;
      socket_.async_wait(asio::posix::descriptor_base::wait_read,
                         [self = this->shared_from_this()](const error_code& failed) {
                           self->go_on(failed, &self->is_reading_);
                         });
    }
    if (pending_.wants_write() && !is_writing_) {
      is_writing_ = true;
      socket_.async_wait(asio::posix::descriptor_base::wait_write,
                         [self = this->shared_from_this()](const error_code& failed) {
                           self->go_on(failed, &self->is_writing_);
                         });
    }
    const auto deadline = pending_.deadline();
    if (deadline == std::chrono::steady_clock::time_point::max()) return;
    if (is_timing_ && deadline == timer_.expiry()) return;
    is_timing_ = true;
    timer_.expires_at(deadline);
    timer_.async_wait([self = this->shared_from_this()](const error_code& failed) {
      if (failed != asio::error::operation_aborted) self->go_on(failed, &self->is_timing_);
    });
  }

  void go_on(const error_code&, bool* waited) {
    {
      const std::lock_guard lock(mutex_);
      *waited = false;
      if (is_ended_) return;
      pending_.step();
      if (!pending_.is_over()) return watch();
      is_ended_ = true;
    }
    end();
  }

  void end() {
    for (auto& stop : stops_) stop.reset();
    asio::get_associated_cancellation_slot(*handler_).clear();
    std::unique_lock lock(mutex_);
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    result<rows> outcome = pending_.take();
    lock.unlock();
    Handler handler = std::move(*handler_);
    handler_.reset();
    const std::exception_ptr failed = exception_of(outcome);
    const event_loop_scope scope;
    Outcome::call(std::move(handler), failed, std::move(outcome));
  }

  using executor_type = asio::associated_executor_t<Handler>;
  executor_type executor_;
  std::mutex mutex_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, executor_type>
      timer_;
  asio::posix::basic_stream_descriptor<executor_type> socket_;
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool is_timing_ = false;
  bool is_begun_ = false;
  bool is_unwanted_ = false;
  bool is_ended_ = false;
  std::optional<Handler> handler_;
  pending_rows pending_;
  std::array<std::optional<std::stop_callback<canceller>>, 2> stops_;
};

/// What the token makes of it.
template <class Outcome, class Token>
auto initiate(pending_rows pending, Token&& token) {
  return asio::async_initiate<Token, typename Outcome::signature>(
      [](auto handler, pending_rows moved) {
        std::make_shared<rows_stepper<decltype(handler), Outcome>>(std::move(handler),
                                                                   std::move(moved))
            ->begin();
      },
      token, std::move(pending));
}

/// Whether the last of the arguments is a completion token, and no value for PostgreSQL.
template <class Outcome, class... Arguments>
constexpr bool ends_with_token = false;
/// One argument.
template <class Outcome, class Last>
constexpr bool ends_with_token<Outcome, Last> =
    asio::completion_token_for<Last, typename Outcome::signature>;
/// Several.
template <class Outcome, class First, class Second, class... Others>
constexpr bool ends_with_token<Outcome, First, Second, Others...> =
    ends_with_token<Outcome, Second, Others...>;

/// begin(values…) is what is under way; the rest is as the token at the end of the arguments says,
/// or use_awaitable.
template <class Outcome, class Begin, class... Arguments>
auto initiate_with(const Begin& begin, Arguments&&... arguments) {
  if constexpr (ends_with_token<Outcome, Arguments...>) {
    constexpr std::size_t value_count = sizeof...(Arguments) - 1;
    const auto all = std::forward_as_tuple(std::forward<Arguments>(arguments)...);
    return [&]<std::size_t... Value>(std::index_sequence<Value...>) {
      using token = std::tuple_element_t<value_count, std::tuple<Arguments&&...>>;
      return initiate<Outcome>(begin(std::get<Value>(all)...),
                               static_cast<token>(std::get<value_count>(all)));
    }
    (std::make_index_sequence<value_count>());
  } else {
    return initiate<Outcome>(begin(arguments...), asio::use_awaitable);
  }
}

}  // namespace asio_adapter
}  // namespace v1
}  // namespace pgweir

/// \file
/// gate: how other threads reach what belongs to an Asio context, and are kept out once that ends.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "pgweir/asio/adapter.hpp"

namespace pgweir {
inline namespace v1 {
namespace asio_adapter {

/// Outlives its context with whoever may still come. Thread-safe.
class gate {
 public:
  /// Calls it with what belongs to the context, unless one of them has gone. As long as that lasts
  /// the context does not go.
  template <class T, class Call>
  void enter(const std::weak_ptr<T>& belonging, const Call& call) {
    const visit now(*this);
    if (!now.is_let_in()) return;
    if (const auto self = belonging.lock()) call(*self);
  }

  /// Nobody is let in any more, and all have left.
  void close() {
    std::unique_lock lock(mutex_);
    is_open_ = false;
    left_.wait(lock, [this] { return visit_count_ == 0; });
  }

 private:
  class visit {
   public:
    explicit visit(gate& in) : gate_(in) {
      const std::lock_guard lock(gate_.mutex_);
      is_let_in_ = gate_.is_open_;
      if (is_let_in_) ++gate_.visit_count_;
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() {
      if (!is_let_in_) return;
      const std::lock_guard lock(gate_.mutex_);
      if (--gate_.visit_count_ == 0) gate_.left_.notify_all();
    }
    bool is_let_in() const noexcept { return is_let_in_; }

   private:
    gate& gate_;
    bool is_let_in_;
  };

  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t visit_count_ = 0;
  bool is_open_ = true;
};

/// Of a context. It closes the gate before the context takes apart what is under way there.
class gate_service : public asio::execution_context::service {
 public:
  inline static asio::execution_context::id id;  ///< As Asio wants it.
  using key_type = gate_service;                 ///< As Asio wants it.
  /// Made by use_service().
  explicit gate_service(asio::execution_context& context)
      : asio::execution_context::service(context) {}
  /// The gate of the context.
  const std::shared_ptr<gate>& get() const noexcept { return gate_; }

 private:
  void shutdown() override { gate_->close(); }

  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

/// To be asked when what it leads to has all the services that it needs: services end in the
/// opposite order.
template <class Executor>
std::shared_ptr<gate> gate_of(const Executor& executor) {
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  return asio::use_service<gate_service>(context).get();
}

}  // namespace asio_adapter
}  // namespace v1
}  // namespace pgweir

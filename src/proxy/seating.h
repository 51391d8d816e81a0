// Seating: how many clients each database and each user has, held against a limit. A Seat is the
// place of one client; it is taken by Login once the client has proved who it is, moves with the
// client, and is given back by whoever destroys it, on whichever thread that is.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace pgweir::proxy {

class Seat {
 public:
  Seat() = default;
  Seat(Seat&& from) noexcept : taken_(std::move(from.taken_)) {}
  Seat& operator=(Seat&& from) noexcept {
    std::swap(taken_, from.taken_);
    return *this;
  }
  ~Seat() {
    if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  friend class Seating;
  using Tally = std::atomic<std::uint32_t>;
  explicit Seat(std::shared_ptr<Tally> taken) : taken_(std::move(taken)) {
    taken_->fetch_add(1, std::memory_order_relaxed);
  }

  std::shared_ptr<Tally> taken_;  // Null: of nobody.
};

// Used by one thread; its seats may end on others.
class Seating {
 public:
  // A seat under that name, or nullopt while `limit` of them are taken.
  std::optional<Seat> take(const std::string& name, std::uint32_t limit);
  // Names that are remembered; those without a client are forgotten in time.
  std::size_t name_count() const { return taken_.size(); }

 private:
  void forget_empty();

  std::unordered_map<std::string, std::shared_ptr<Seat::Tally>> taken_;
  std::size_t forget_at_ = 64;  // Names; doubles with those that are in use.
};

// What a client takes: one among its database's, one among its user's.
struct Seats {
  Seat of_database;
  Seat of_user;
};

}  // namespace pgweir::proxy

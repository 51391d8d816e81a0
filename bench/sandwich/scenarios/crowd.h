// Crowd: clients that connect all at once and stay, played by a thread of their own that runs only
// when nobody else wants its CPU. They come from elsewhere: what they cost the machine that plays
// them must not be felt by the clients that are measured.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>

#include "base/time.h"
#include "plan.h"

namespace pgweir::bench {

class Crowd {
 public:
  // plan.client_count of them; the plan outlives the crowd.
  explicit Crowd(const Plan& plan) : plan_(plan) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  void set_out();
  // Everybody was let in or turned away, or it has gone. What follows may be asked then.
  bool has_settled() const { return stage_.load() >= Stage::Settled; }
  std::size_t let_in() const { return let_in_; }
  std::size_t turned_away() const { return turned_away_; }
  base::Instant settled_at() const { return settled_at_; }

  void send_home() { may_stay_ = false; }
  bool has_gone() const { return stage_.load() == Stage::Gone; }
  // Once it has gone: what went wrong.
  const std::optional<std::string>& mistake() const { return mistake_; }

 private:
  enum class Stage : std::uint8_t { Coming, Settled, Gone };
  class Arrivals;

  void play();

  const Plan& plan_;
  std::thread thread_;
  std::atomic<Stage> stage_ = Stage::Coming;  // Publishes what is below.
  std::atomic<bool> may_stay_ = true;
  std::size_t let_in_ = 0;
  std::size_t turned_away_ = 0;
  base::Instant settled_at_;
  std::optional<std::string> mistake_;
};

}  // namespace pgweir::bench

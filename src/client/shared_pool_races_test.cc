// SharedPool under threads that do everything at once: a thousand seeds of taking, waiting, being
// called later, being stopped, giving back, failing logins, and a close in the midst of it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "client/clock.h"
#include "client/fake_host_test.h"

namespace pgweir::client {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kSeeds = 1'000;
constexpr std::uint64_t kThreads = 4;

SharedPoolOptions options_of(base::Rng& rng) {
  SharedPoolOptions options;
  options.barging_max = milliseconds(rng.below(2));
  options.pool.server_count_max = static_cast<std::uint32_t>(1 + rng.below(3));
  options.pool.server_count_min = static_cast<std::uint32_t>(rng.below(2));
  options.pool.waiter_count_max = static_cast<std::uint32_t>(1 + rng.below(kThreads));
  options.pool.login_backoff_min = options.pool.login_backoff_max = milliseconds(1);
  return options;
}

// One seed's pool, what its threads do with it, and what must hold of it.
class Race {
 public:
  explicit Race(std::uint64_t seed)
      : rng_(seed), options_(options_of(rng_)), closes_(rng_.chance(0.5)) {
    host_.serve(pool_.emplace(options_, seed, host_));
  }

  void run() {
    {
      std::vector<std::jthread> threads;
      for (std::uint64_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([this, seed = rng_.next()] { play(seed); });
      }
      disturb();
    }
    EXPECT_EQ(pool_->counts().waiting, 0U);
    EXPECT_EQ(pool_->counts().leased, 0U);
    EXPECT_LE(host_.live_max(), options_.pool.server_count_max);
    if (!closes_) expect_all_servers();
    pool_->close();
    EXPECT_EQ(pool_->acquire({}).denial, Denial::Closed);
    EXPECT_TRUE(pool_->wait_until_ended(precise_now() + seconds(20)));
  }

 private:
  // Is called with a server, or with the lack of one.
  struct Visitor final : Callee {
    Visitor(Race& of, const Request& wants, std::uint64_t seed)
        : Callee(wants), race(of), rng(seed) {}
    void handle_grant(const Grant& grant) override {
      race.use(grant.server, rng);
      EXPECT_FALSE(is_over.exchange(true)) << "called twice";
    }
    Race& race;
    base::Rng rng;
    std::atomic<bool> is_over = false;
  };

  void play(std::uint64_t seed) {
    base::Rng rng(seed);
    for (int i = 0; i < 12; ++i) take_one(rng);
  }

  void take_one(base::Rng& rng) {
    std::stop_source source;
    Request request{.where = code_location::current(),
                    .deadline = precise_now() + microseconds(rng.below(500))};
    if (rng.chance(0.1)) request.deadline = base::kNever;
    if (rng.chance(0.3)) request.stop = source.get_token();
    std::jthread stopper;
    if (rng.chance(0.1)) stopper = std::jthread([&source] { source.request_stop(); });
    if (rng.chance(0.3)) return take_one_later(request, rng.next());
    Server* server =
        rng.chance(0.2) ? pool_->acquire_if_idle(request) : pool_->acquire(request).server;
    use(server, rng);
  }

  // Without a thread that waits for it; this one only looks until it is over.
  void take_one_later(const Request& request, std::uint64_t seed) {
    const auto visitor = std::make_shared<Visitor>(*this, request, seed);
    if (const auto grant = pool_->acquire_later(visitor)) return visitor->handle_grant(*grant);
    while (!visitor->is_over) {
      if (request.deadline <= precise_now()) pool_->withdraw(*visitor, Denial::TimedOut);
      if (request.stop.stop_requested()) pool_->withdraw(*visitor, Denial::Cancelled);
      std::this_thread::yield();
    }
  }

  void use(Server* server, base::Rng& rng) {
    if (server == nullptr) return;
    EXPECT_LE(++lent_, options_.pool.server_count_max);
    EXPECT_FALSE(std::exchange(server->is_touched, true)) << "lent to two at once";
    if (rng.chance(0.5)) std::this_thread::yield();
    server->is_touched = false;
    --lent_;
    if (rng.chance(0.2)) return pool_->discard(*server);
    pool_->release(*server);
  }

  // The clock, logins that fail for a while, and the end of it all where this seed has one.
  void disturb() {
    const std::uint64_t turns = 1 + rng_.below(20);
    for (std::uint64_t i = 0; i < turns; ++i) {
      if (rng_.chance(0.3)) {
        host_.refuse_with(
            pool::Failure{.kind = pool::Failure::Kind::Temporary, .sqlstate = "", .text = "no"});
      } else {
        host_.refuse_with(std::nullopt);
      }
      pool_->handle_time();
      std::this_thread::yield();
    }
    host_.refuse_with(std::nullopt);
    if (closes_) return pool_->close();
    // Who waits without an end is served once logins succeed, by the clock of the pool.
    keeper_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pool_->handle_time();
        std::this_thread::yield();
      }
    });
  }

  // However often logins have failed and servers were thrown away, there are as many as ever.
  void expect_all_servers() {
    std::vector<Server*> all;
    for (std::uint32_t i = 0; i < options_.pool.server_count_max; ++i) {
      all.push_back(pool_->acquire({.where = {}, .deadline = precise_now() + seconds(20)}).server);
      ASSERT_NE(all.back(), nullptr) << "the pool has shrunk";
    }
    EXPECT_EQ(pool_->acquire_if_idle({}), nullptr);
    for (Server* server : all) pool_->release(*server);
  }

  base::Rng rng_;
  const SharedPoolOptions options_;
  const bool closes_;
  std::optional<SharedPool> pool_;
  FakeHost host_;  // Behind the pool: whoever calls it must have returned before it goes.
  std::atomic<std::uint32_t> lent_ = 0;
  std::jthread keeper_;
};

TEST(SharedPoolRaces, D01_D04_nothing_is_lost_and_nobody_is_left) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto race = std::make_unique<Race>(seed);
    race->run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace pgweir::client

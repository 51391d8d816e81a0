// A shard against a naive model: random events, a full comparison after each, and at the end, with
// all faults off, everybody must be served and every permit returned. A failure names its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "pool/shard.h"

namespace pgweir::pool {
namespace {

using base::Duration;
using base::Instant;
using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Client;

struct Backend : Server {
  std::size_t pool_index = 0;
  Client* client = nullptr;
};

struct Client : Waiter {
  Backend* leased = nullptr;
  std::size_t pool_index = 0;
};

struct ModelPool {
  PoolId id{};
  Options options;
  std::vector<LevelId> levels;
  std::deque<Client*> line;
  int lost = 0;
  bool is_failing = false;
};

class World {
 public:
  explicit World(std::uint64_t seed) : rng_(seed), shard_(exchange_, seed), clients_(20) {
    const LevelId server = exchange_.add_level("server", limit());
    const std::array databases{exchange_.add_level("a", limit()),
                               exchange_.add_level("b", limit())};
    const std::array roles{exchange_.add_level("x", kUnlimited), exchange_.add_level("y", limit())};
    is_patient_ = rng_.chance(0.5);
    for (std::size_t i = 0; i < 4; ++i) {
      const LevelId own = exchange_.add_level("pool", 0);
      pools_.push_back({.options = some_options(),
                        .levels = {own, roles[i / 2], databases[i % 2], server},
                        .line = {}});
      ModelPool& pool = pools_.back();
      pool.id = shard_.add_pool({"pool", pool.options, pool.levels}, now_);
      drain();
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
    settle();
  }

 private:
  std::uint32_t limit() { return static_cast<std::uint32_t>(1 + rng_.below(6)); }

  Options some_options() {
    Options options;
    options.server_count_max = rng_.chance(0.5) ? kUnlimited : limit();
    options.server_count_min = rng_.chance(0.3) ? 1 : 0;
    options.waiter_count_max = 8;
    options.wait_max = is_patient_ ? Duration::zero() : seconds(2);
    options.server_lifetime = rng_.chance(0.5) ? Duration::zero() : seconds(20);
    options.server_idle_max = seconds(5);
    options.login_parallel_max = static_cast<std::uint32_t>(1 + rng_.below(3));
    return options;
  }

  void step() {
    switch (rng_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3: return acquire();
      case 4:
      case 5:
      case 6: return release();
      case 7: return leave();
      case 8:
      case 9: return log_in(rng_.chance(0.8));
      case 10:
      case 11: return end(some(ServerState::Closing));
      case 12: return lose_or_find();
      case 13: return die();
      case 14: return rng_.chance(0.2) ? reconfigure() : end(some(ServerState::Closing));
      default: return pass(rng_.chance(0.1) ? seconds(6) : milliseconds(rng_.below(400)));
    }
  }

  void acquire() {
    Client& client = clients_[rng_.below(clients_.size())];
    if (client.is_waiting() || client.leased != nullptr) return;
    client.pool_index = rng_.below(pools_.size());
    ModelPool& pool = pools_[client.pool_index];
    const bool has_idle = count(client.pool_index, ServerState::Idle) > 0;
    pool.line.push_back(&client);
    auto* server = static_cast<Backend*>(shard_.acquire(client, pool.id, now_));
    EXPECT_EQ(server != nullptr, has_idle) << "a server is lent exactly when one is idle";
    if (server != nullptr) grant(*server, &client);
    drain();
  }

  void release() {
    if (Backend* server = some(ServerState::Leased)) release(*server);
  }
  void release(Backend& server) {
    server.client->leased = nullptr;
    server.client = nullptr;
    grant(server, shard_.release(server, now_));
    drain();
  }

  void grant(Backend& server, Waiter* waiter) {
    ModelPool& pool = pools_[server.pool_index];
    if (waiter == nullptr) return;
    ASSERT_FALSE(pool.line.empty());
    EXPECT_EQ(waiter, pool.line.front()) << "the oldest waiter is next";
    pool.line.pop_front();
    auto* client = static_cast<Client*>(waiter);
    EXPECT_EQ(client->leased, nullptr);
    EXPECT_EQ(server.client, nullptr) << "a server is lent to one client at a time";
    EXPECT_EQ(server.state(), ServerState::Leased);
    EXPECT_FALSE(client->is_waiting());
    client->leased = &server;
    server.client = client;
  }

  void leave() {
    Client& client = clients_[rng_.below(clients_.size())];
    if (client.is_waiting()) std::erase(pools_[client.pool_index].line, &client);
    shard_.leave(client);
    drain();
  }

  void log_in(bool is_success) {
    Backend* server = some(ServerState::Connecting);
    if (server == nullptr) return;
    ModelPool& pool = pools_[server->pool_index];
    pool.is_failing = !is_success;
    if (is_success) {
      grant(*server, shard_.handle_opened(*server, now_));
    } else {
      const bool is_permanent = rng_.chance(0.3);
      shard_.handle_open_failed(
          *server,
          {is_permanent ? Failure::Kind::Permanent : Failure::Kind::Temporary, "57P03", "no"},
          now_);
    }
    drain();
  }

  void end(Backend* server) {
    if (server == nullptr) return;
    if (server->client != nullptr) server->client->leased = nullptr;
    shard_.handle_ended(*server, now_);
    forget(*server);
  }
  void lose_or_find() {
    Backend* server = some(ServerState::Closing);
    if (server != nullptr && rng_.chance(0.5)) {
      ++pools_[server->pool_index].lost;
      shard_.handle_lost(*server, now_);
      return forget(*server);
    }
    find_lost(pools_[rng_.below(pools_.size())]);
  }
  void find_lost(ModelPool& pool) {
    if (pool.lost == 0) return;
    --pool.lost;
    shard_.handle_lost_ended(pool.id, now_);
    drain();
  }
  void die() {
    Backend* server = some(rng_.chance(0.5) ? ServerState::Leased : ServerState::Idle);
    if (server == nullptr || rng_.chance(0.5)) return end(server);
    if (server->client != nullptr) server->client->leased = nullptr;
    server->client = nullptr;
    shard_.handle_closing(*server, now_);
    drain();
  }
  void forget(Backend& server) {
    EXPECT_EQ(server.state(), ServerState::Outside);
    std::erase_if(servers_, [&](const auto& each) { return each.get() == &server; });
    drain();
  }

  void reconfigure() {
    ModelPool& pool = pools_[rng_.below(pools_.size())];
    switch (rng_.below(3)) {
      case 0: shard_.recycle(pool.id, now_); break;
      case 1:
        pool.options = some_options();
        shard_.set_options(pool.id, pool.options, now_);
        break;
      default:
        exchange_.set_limit(pool.levels[1 + rng_.below(3)], limit() - 1);
        shard_.handle_limits_changed(now_);
    }
    drain();
  }

  void pass(Duration time) {
    now_ += time;
    shard_.handle_time(now_);
    EXPECT_GT(shard_.next_deadline(), now_) << "what is due was done";
    drain();
  }

  void drain() {
    while (auto decision = shard_.take_decision()) {
      if (const auto* open = std::get_if<Open>(&*decision)) {
        open_server(open->pool);
      } else if (const auto* close = std::get_if<Close>(&*decision)) {
        EXPECT_EQ(close->server->state(), ServerState::Closing);
      } else if (const auto* refuse = std::get_if<Refuse>(&*decision)) {
        auto* client = static_cast<Client*>(refuse->waiter);
        ModelPool& pool = pools_[client->pool_index];
        if (refuse->reason == RefuseReason::Timeout) {
          EXPECT_FALSE(is_settling_ && is_patient_);
          EXPECT_GE(now_ - client->since(), seconds(2));
        }
        std::erase(pool.line, client);
      }
    }
  }

  void open_server(PoolId id) {
    servers_.push_back(std::make_unique<Backend>());
    Backend& server = *servers_.back();
    server.pool_index = base::index_of(id);
    for (const LevelId level : pools_[server.pool_index].levels)
      EXPECT_LE(exchange_.taken(level), exchange_.limit(level)) << "no opening beyond a limit";
    shard_.handle_opening(server, id, now_);
  }

  // What must hold after every event, counted anew from the model alone.
  void check() {
    shard_.check_invariants();
    for (std::uint32_t i = 0; i < exchange_.level_count(); ++i)
      EXPECT_EQ(exchange_.taken(LevelId{i}), permits_out(LevelId{i})) << "every permit is a server";
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      const PoolCounts counts = shard_.counts(pools_[i].id);
      EXPECT_EQ(counts.waiting, pools_[i].line.size());
      EXPECT_EQ(counts.leased, count(i, ServerState::Leased));
      EXPECT_LE(counts.connecting, 3U);
      if (!pools_[i].line.empty()) check_needs_to_wait(i);
    }
  }

  // Nobody waits for nothing: something is under way, or no permit can be had.
  void check_needs_to_wait(std::size_t index) {
    const ModelPool& pool = pools_[index];
    EXPECT_EQ(count(index, ServerState::Idle), 0U);
    const bool is_closing = std::any_of(servers_.begin(), servers_.end(), [](const auto& server) {
      return server->state() == ServerState::Closing;
    });
    if (pool.is_failing || is_closing || count(index, ServerState::Connecting) > 0) return;
    if (shard_.next_deadline() <= now_ || is_behind_another(pool)) return;
    EXPECT_FALSE(exchange_.has_room(pool.levels)) << "pool " << index << " waits beside a permit";
    const bool would_help = std::all_of(pool.levels.begin(), pool.levels.end(), [&](LevelId level) {
      return !exchange_.is_full(level) || has_idle_surplus(level);
    });
    EXPECT_FALSE(would_help) << "pool " << index << " waits beside idle servers";
  }

  // Somebody waits longer elsewhere, and permits may be kept for them.
  bool is_behind_another(const ModelPool& pool) const {
    return std::any_of(pools_.begin(), pools_.end(), [&](const ModelPool& other) {
      return &other != &pool && !other.line.empty() &&
             other.line.front()->since() <= pool.line.front()->since();
    });
  }

  // An idle server above its pool's minimum has a permit of this level.
  bool has_idle_surplus(LevelId level) const {
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      const ModelPool& pool = pools_[i];
      if (std::find(pool.levels.begin(), pool.levels.end(), level) == pool.levels.end()) continue;
      const std::size_t idle = count(i, ServerState::Idle);
      if (idle > 0 && idle + count(i, ServerState::Leased) > pool.options.server_count_min)
        return true;
    }
    return false;
  }

  std::size_t count(std::size_t pool_index, ServerState state) const {
    return static_cast<std::size_t>(
        std::count_if(servers_.begin(), servers_.end(), [&](const auto& server) {
          return server->pool_index == pool_index && server->state() == state;
        }));
  }
  std::uint32_t permits_out(LevelId level) const {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      const auto& levels = pools_[i].levels;
      if (std::find(levels.begin(), levels.end(), level) == levels.end()) continue;
      out += static_cast<std::uint32_t>(pools_[i].lost);
      for (const auto& server : servers_) out += server->pool_index == i ? 1U : 0U;
    }
    return out;
  }
  Backend* some(ServerState state) {
    const std::vector<Backend*> found = all(state);
    return found.empty() ? nullptr : found[rng_.below(found.size())];
  }

  // Faults off: whoever waits is served soon, although all others are busy or rest for ever, and
  // then nothing is left but the minimum.
  void settle() {
    is_settling_ = true;
    const std::uint32_t server_limit = rng_.chance(0.5) ? 2 : kUnlimited;
    for (ModelPool& pool : pools_) {
      set_calm_options(pool, Duration::zero());
      for (std::size_t level = 1; level < 3; ++level)
        exchange_.set_limit(pool.levels[level], static_cast<std::uint32_t>(1 + rng_.below(2)));
      exchange_.set_limit(pool.levels[3], server_limit);
    }
    shard_.handle_limits_changed(now_);
    drain();
    serve_all_beside_busy_ones();
    for (int round = 0; round < 200 && !testing::Test::HasFailure(); ++round) calm_step();
    for (const Client& client : clients_)
      EXPECT_FALSE(client.is_waiting()) << "nobody is forgotten";
    for (ModelPool& pool : pools_) set_calm_options(pool, seconds(5));
    pass(seconds(10));
    calm_step();
    EXPECT_TRUE(servers_.empty()) << "every server is closed in the end";
    for (std::uint32_t i = 0; i < exchange_.level_count(); ++i) {
      EXPECT_EQ(exchange_.taken(LevelId{i}), 0U) << "every permit returns";
      EXPECT_EQ(exchange_.leaving(LevelId{i}), 0U);
    }
  }
  void set_calm_options(ModelPool& pool, Duration idle_max) {
    pool.options.server_count_min = 0;
    pool.options.server_count_max = kUnlimited;
    pool.options.server_lifetime = Duration::zero();
    pool.options.server_idle_max = idle_max;
    pool.options.wait_max = Duration::zero();
    shard_.set_options(pool.id, pool.options, now_);
    drain();
  }
  // Whoever is served comes again at once, so that no server ever rests: those who wait now are
  // served all the same.
  void serve_all_beside_busy_ones() {
    std::vector<const Client*> earlier;
    for (const Client& client : clients_)
      if (client.is_waiting()) earlier.push_back(&client);
    const Instant start = now_;
    for (int round = 0; round < 200 && !testing::Test::HasFailure(); ++round) {
      calm_step();
      for (int i = 0; i < 4; ++i) acquire();
    }
    for (const Client* client : earlier)
      EXPECT_FALSE(client->is_waiting() && client->since() <= start) << "served beside busy ones";
  }
  void calm_step() {
    while (some(ServerState::Connecting) != nullptr) log_in(true);
    while (Backend* server = some(ServerState::Closing)) end(server);
    for (Backend* server : all(ServerState::Leased))
      if (server->state() == ServerState::Leased) release(*server);
    for (ModelPool& pool : pools_) find_lost(pool);
    check();
    pass(milliseconds(50));
  }
  std::vector<Backend*> all(ServerState state) {
    std::vector<Backend*> found;
    for (const auto& server : servers_)
      if (server->state() == state) found.push_back(server.get());
    return found;
  }

  base::Rng rng_;
  Instant now_{seconds(1000)};
  Exchange exchange_;
  Shard shard_;
  std::vector<ModelPool> pools_;
  std::vector<Client> clients_;
  std::vector<std::unique_ptr<Backend>> servers_;
  bool is_patient_ = false;
  bool is_settling_ = false;
};

TEST(ShardRandomTest, agrees_with_the_model_and_forgets_nobody) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World(seed).run(300);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pgweir::pool

// ShardTest: the owner of one Shard, for its tests: it has the servers that the shard asks for and
// remembers its decisions. Logins succeed or fail when the test says so.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "pool/shard.h"

namespace pgweir::pool {

class ShardTest : public testing::Test {
 protected:
  base::PoolId add_pool(const Options& options = {}) {
    const LevelId own = exchange.add_level("pool", 0);
    const base::PoolId id = shard.add_pool({"pool", options, {own, server_level}}, now);
    drain();
    return id;
  }

  Server* acquire(Waiter& client, base::PoolId pool) {
    Server* server = shard.acquire(client, pool, now);
    drain();
    return server;
  }
  Waiter* release(Server& server) {
    Waiter* next = shard.release(server, now);
    drain();
    return next;
  }
  // The oldest login under way succeeds.
  Waiter* open_next() {
    Server& server = *connecting.front();
    connecting.pop_front();
    Waiter* next = shard.handle_opened(server, now);
    drain();
    return next;
  }
  void fail_next(Failure::Kind kind, const std::string& text) {
    Server& server = *connecting.front();
    connecting.pop_front();
    shard.handle_open_failed(server, {kind, "", text}, now);
    end(server);
  }
  void end(Server& server) {
    shard.handle_ended(server, now);
    std::erase(closing, &server);
    drain();
  }
  void pass(base::Duration time) {
    now += time;
    shard.handle_time(now);
    drain();
  }
  // A pool's first server, leased by a client of its own.
  Server* lease(base::PoolId pool) {
    clients.emplace_back();
    Server* server = acquire(clients.back(), pool);
    if (server != nullptr) return server;
    server = connecting.back();
    connecting.pop_back();
    EXPECT_EQ(shard.handle_opened(*server, now), &clients.back());
    drain();
    return server;
  }

  void drain() {
    while (auto decision = shard.take_decision()) {
      if (const auto* open = std::get_if<Open>(&*decision)) {
        servers.emplace_back();
        shard.handle_opening(servers.back(), open->pool, now);
        connecting.push_back(&servers.back());
      } else if (const auto* close = std::get_if<Close>(&*decision)) {
        closing.push_back(close->server);
        reasons.push_back(close->reason);
      } else if (auto* refuse = std::get_if<Refuse>(&*decision)) {
        refusals.push_back(std::move(*refuse));
      } else if (const auto* notify = std::get_if<Notify>(&*decision)) {
        notified.push_back(notify->waiter);
      }
    }
    EXPECT_FALSE(shard.has_decisions());
    shard.check_invariants();
  }

  base::Instant now{std::chrono::seconds(1000)};
  Exchange exchange;
  LevelId server_level = exchange.add_level("server", kUnlimited);
  Shard shard{exchange, 1};
  std::deque<Server> servers;
  std::deque<Waiter> clients;
  std::deque<Server*> connecting;
  std::vector<Server*> closing;
  std::vector<CloseReason> reasons;
  std::vector<Refuse> refusals;
  std::vector<Waiter*> notified;
};

}  // namespace pgweir::pool

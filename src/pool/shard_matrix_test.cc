// A server of a Shard in each of its states, and a waiter: each call that is about them. What
// shard.h does not allow ends the process.

#include <gtest/gtest.h>

#include <functional>

#include "base/matrix_test.h"
#include "pool/shard.h"

namespace pgweir::pool {
namespace {

std::string_view name_of(ServerState state) {
  switch (state) {
    case ServerState::Outside: return "Outside";
    case ServerState::Connecting: return "Connecting";
    case ServerState::Idle: return "Idle";
    case ServerState::Leased: return "Leased";
    case ServerState::Closing: return "Closing";
  }
  return {};
}

// One pool of at most one server, which one client has asked for.
struct Scene {
  Scene() {
    shard.acquire(client, pool, now);
    drain();
  }
  void drain() {
    while (shard.take_decision()) {
    }
    shard.check_invariants();
  }
  void go_to(ServerState state) {
    if (state == ServerState::Outside) return;
    shard.handle_opening(server, pool, now);
    if (state == ServerState::Connecting) return;
    EXPECT_EQ(shard.handle_opened(server, now), &client);
    if (state == ServerState::Idle) shard.release(server, now);
    if (state == ServerState::Closing) shard.handle_closing(server, now);
    drain();
  }

  base::Instant now{std::chrono::seconds(1000)};
  Exchange exchange;
  Shard shard{exchange, 1};
  base::PoolId pool = shard.add_pool(
      {"pool", {.server_count_max = 1, .waiter_count_max = 2}, {exchange.add_level("pool", 0)}},
      now);
  Server server;
  Waiter client;
  Waiter second;
  Waiter third;
};

struct Call {
  std::string_view name;
  std::function<void(Scene&)> make;
};

const std::vector<Call> kServerCalls{
    {"opening", [](Scene& s) { s.shard.handle_opening(s.server, s.pool, s.now); }},
    {"opened", [](Scene& s) { s.shard.handle_opened(s.server, s.now); }},
    {"open_failed", [](Scene& s) { s.shard.handle_open_failed(s.server, {}, s.now); }},
    {"release", [](Scene& s) { s.shard.release(s.server, s.now); }},
    {"closing", [](Scene& s) { s.shard.handle_closing(s.server, s.now); }},
    {"ended", [](Scene& s) { s.shard.handle_ended(s.server, s.now); }},
    {"lost", [](Scene& s) { s.shard.handle_lost(s.server, s.now); }},
    {"recycle", [](Scene& s) { s.shard.recycle(s.pool, s.now); }},
};

// The state afterwards.
TEST(ShardMatrix, every_call_about_a_server_in_every_state) {
  base::expect_matrix(R"(
               opening    opened open_failed release closing ended   lost    recycle
    Outside    Connecting dies   dies        dies    dies    dies    dies    Outside
    Connecting dies       Leased Closing     dies    dies    dies    dies    Connecting
    Idle       dies       dies   dies        dies    Closing Outside Outside Closing
    Leased     dies       dies   dies        Idle    Closing Outside Outside Leased
    Closing    dies       dies   dies        dies    dies    Outside Outside Closing
  )",
                      base::names_of<ServerState>(name_of), base::names_of(kServerCalls),
                      [](std::size_t state, std::size_t call) {
                        Scene scene;
                        scene.go_to(static_cast<ServerState>(state));
                        kServerCalls[call].make(scene);
                        scene.drain();
                        return std::string(name_of(scene.server.state()));
                      });
}

const std::vector<Call> kWaiterStates{
    {"Resting", [](Scene&) {}},
    {"Waiting", [](Scene& s) { s.shard.acquire(s.second, s.pool, s.now); }},
    {"First", [](Scene& s) { s.shard.acquire_first(s.second, s.pool, s.now); }},
    {"Refused",  // The line is full, and nobody has told it yet.
     [](Scene& s) {
       s.shard.acquire(s.third, s.pool, s.now);
       s.shard.acquire(s.second, s.pool, s.now);
     }},
    {"Left",
     [](Scene& s) {
       s.shard.acquire(s.second, s.pool, s.now);
       s.shard.leave(s.second);
     }},
};
const std::vector<Call> kWaiterCalls{
    {"acquire", [](Scene& s) { s.shard.acquire(s.second, s.pool, s.now); }},
    {"acquire_first", [](Scene& s) { s.shard.acquire_first(s.second, s.pool, s.now); }},
    {"leave", [](Scene& s) { s.shard.leave(s.second); }},
    {"its_time", [](Scene& s) { s.shard.handle_time(s.now + std::chrono::hours(1)); }},
    {"decisions", [](Scene& s) { s.drain(); }},
};

// waits: in the line. told: a Refuse of it follows. rests: neither.
TEST(ShardMatrix, every_call_about_a_waiter_in_every_state) {
  base::expect_matrix(R"(
            acquire acquire_first leave its_time decisions
    Resting waits   waits         rests rests    rests
    Waiting dies    dies          rests told     waits
    First   dies    dies          rests waits    waits
    Refused dies    dies          rests told     rests
    Left    waits   waits         rests rests    rests
  )",
                      base::names_of(kWaiterStates), base::names_of(kWaiterCalls),
                      [](std::size_t state, std::size_t call) -> std::string {
                        Scene scene;
                        kWaiterStates[state].make(scene);
                        kWaiterCalls[call].make(scene);
                        if (scene.second.is_waiting()) return "waits";
                        while (const auto decision = scene.shard.take_decision()) {
                          const auto* refuse = std::get_if<Refuse>(&*decision);
                          if (refuse != nullptr && refuse->waiter == &scene.second) return "told";
                        }
                        return "rests";
                      });
}

}  // namespace
}  // namespace pgweir::pool

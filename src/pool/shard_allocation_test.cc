// Counts operator new: nothing on the hot path allocates once warm.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "pool/shard.h"

namespace {
std::atomic<std::size_t> allocation_count = 0;
}  // namespace

// Not inlined: GCC would see malloc meet delete, or new meet free, and warn of the mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocation_count;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace pgweir::pool {
namespace {

// One round: a lease, a wait, a hand-over, a refusal and a replaced server.
void run_round(Shard& shard, base::PoolId pool, Server& server, base::Instant& now) {
  Waiter first, second, third;
  now += std::chrono::milliseconds(1);
  shard.acquire(first, pool, now);
  if (shard.take_decision()) {
    shard.handle_opening(server, pool, now);
    shard.handle_opened(server, now);
  }
  shard.acquire(second, pool, now);
  shard.acquire(third, pool, now);
  shard.release(server, now);
  now += std::chrono::minutes(1);
  shard.handle_time(now);
  while (shard.take_decision()) continue;
  shard.release(server, now);
  shard.handle_closing(server, now);
  shard.handle_ended(server, now);
}

TEST(ShardAllocationTest, allocates_nothing_once_warm) {
  Exchange exchange;
  Shard shard(exchange, 1);
  const LevelId level = exchange.add_level("pool", 0);
  base::Instant now{};
  const base::PoolId pool = shard.add_pool({"pool", {.server_count_max = 1}, {level}}, now);
  Server server;
  run_round(shard, pool, server, now);
  const std::size_t before = allocation_count;
  for (int i = 0; i < 100; ++i) run_round(shard, pool, server, now);
  EXPECT_EQ(allocation_count, before);
  EXPECT_GT(before, 0U);
}

}  // namespace
}  // namespace pgweir::pool

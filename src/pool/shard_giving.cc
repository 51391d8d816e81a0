// Giving: a pool that several reactors share has its servers spread over them, and its waiters,
// too. A shard whose waiters lack a server asks the others (pool::Exchange); one that has a server
// to spare, or whose own next waiter is younger, sends it there, permits and all. Where another
// pool's waiter lacks a permit of a level, a server of this one is closed for it, as for one's own.
//
// An ask is a number that whoever answers takes from, so that one waiter does not get two servers.
// What came of an answer nobody tells: who still waits asks again.
#include <algorithm>

#include "pool/shard.h"

namespace pgweir::pool {
namespace {

// Since when the oldest waiters of a pool wait.
AskedSince oldest_of(const WaitingLine& line) {
  AskedSince since;
  since.fill(base::kNever);
  const Waiter* waiter = line.oldest();
  for (std::size_t i = 0; i < kAskedMax && waiter != nullptr; ++i) {
    since[i] = waiter->since();
    waiter = line.next(*waiter);
  }
  return since;
}

}  // namespace

// A pool with waiters asks, and once more when it turns out what it lacks.
void Shard::begin_asking(Pool& pool, base::Instant now) {
  if (others_ == 0 || pool.line.empty()) return;
  if (pool.is_asking() && pool.has_asked_starved == pool.is_starved()) return;
  ask_others(pool, others_, now);
}

// Its line has changed.
void Shard::refresh_asks(Pool& pool) {
  if (!pool.is_asking()) return;
  const Waiter* oldest = pool.line.oldest();
  if (oldest == nullptr) return ask_no_more(pool);
  renew_level_ask(pool);
  if (oldest->since() - pool.asked_since < kStaleness) return;
  pool.asked_since = oldest->since();
  exchange_.asks(pool.levels().front()).renew(reactor_, oldest_of(pool.line));
}

// REQUIRES: the pool has waiters.
void Shard::ask_others(Pool& pool, ReactorMask whom, base::Instant now) {
  if (!pool.is_asking()) ++asking_pool_count_;
  const LevelId own = pool.levels().front();
  pool.asked_since = pool.line.oldest()->since();
  const auto count = std::min<std::uint32_t>(pool.line.count(), kAskedMax);
  exchange_.asks(own).ask(reactor_, oldest_of(pool.line), count, now);
  // A server of another pool helps only where this one could have one more.
  const auto lacking = pool.is_starved() ? narrowest_lacking(pool) : std::nullopt;
  ask_at_level(pool, lacking != own ? lacking : std::nullopt, now);
  pool.has_asked_starved = pool.is_starved();
  exchange_.set_asking(reactor_, true);
  wake_others(whom);
  schedule(pool, now + kAskAgainAfter);
}

void Shard::ask_no_more(Pool& pool) {
  exchange_.asks(pool.levels().front()).withdraw(reactor_);
  pool.asked_since = base::kNever;
  if (--asking_pool_count_ == 0) exchange_.set_asking(reactor_, false);
}

// Idle servers that others ask for, and those whose permits they lack.
void Shard::help_others(base::Instant now) {
  if (!is_asked_by_others()) return;
  for (const auto& pool : pools_) {
    bool has_given = false;
    while (Server* coldest = pool->idle.front()) {
      if (!yield_to_others(*coldest)) break;
      has_given = true;
    }
    if (has_given) open_more(*pool, now);  // Its minimum.
  }
}

// Whether a waiter elsewhere goes before those of this pool: then it gets this server that nobody
// holds, or its permits.
bool Shard::yield_to_others(Server& server) {
  Pool& pool = *server.pool_;
  const LevelId own = pool.levels().front();
  const auto goes_first = [&](const Ask& asker, base::Duration patience) {
    const Waiter* next = pool.line.oldest();
    if (asker.since == base::kNever) return false;  // Fewer wait by now.
    return next == nullptr || next->since() - patience > asker.since;
  };
  const auto asker = exchange_.asks(own).oldest(reactor_);
  if (asker && goes_first(*asker, kBarging) && exchange_.asks(own).try_answer(asker->reactor)) {
    give(server, asker->reactor);
    return true;
  }
  const bool is_idle = server.state_ == ServerState::Idle;
  if (is_idle && !pool.is_spare()) return false;
  for (const LevelId level : pool.levels().subspan(1)) {
    const auto lacks = exchange_.asks(level).oldest(reactor_);
    if (!lacks || !goes_first(*lacks, kPatienceLogins * pool.login_time)) continue;
    // One who waits for a server of this very pool gets one, with the next answer.
    if ((exchange_.asks(own).asking() & mask_of(lacks->reactor)) != 0) continue;
    if (!exchange_.asks(level).try_answer(lacks->reactor)) continue;
    order_close(server, CloseReason::Evicted);
    return true;
  }
  return false;
}

void Shard::give(Server& server, ReactorIndex to) {
  Pool& pool = *server.pool_;
  if (server.state_ == ServerState::Idle) {
    --pool.idle_count;
    server.base::ListHook<InIdle>::unlink();
  } else {
    --pool.leased_count;
  }
  stop_retiring(server);
  server.base::ListHook<InPool>::unlink();
  server.pool_ = nullptr;
  server.state_ = ServerState::Outside;
  server.given_to_ = to;
  server.is_given_ = true;
  gifts_.push_back(server);
  refresh_spare(pool);
}

std::optional<Decision> Shard::take_gift() {
  Server* server = gifts_.pop_front();
  if (server == nullptr) return std::nullopt;
  exchange_.note_coming(server->given_to_);
  return Give{server, server->given_to_};
}

void Shard::take_back(Server& server, base::Instant now) {
  ASSERT(server.is_given_);
  auto& hook = static_cast<base::ListHook<InClosing>&>(server);
  if (!hook.is_linked()) exchange_.note_arrived(server.given_to_);
  hook.unlink();
  enter(server, at(server.pool_id_), now);
}

void Shard::adopt(Server& server, base::PoolId id, const Tenure& tenure, base::Instant now) {
  ASSERT(server.state_ == ServerState::Outside);
  exchange_.note_arrived(reactor_);
  server.tenure_ = tenure;
  enter(server, at(id), now);
}

Waiter* Shard::release_adopted(Server& server, ReactorIndex from, base::Instant now) {
  Pool& pool = *server.pool_;
  Waiter* next = release(server, now);
  // Where this one comes from there may be more.
  if (pool.is_asking()) ask_others(pool, mask_of(from), now);
  return next;
}

// Leased to the owner, as after its login.
void Shard::enter(Server& server, Pool& pool, base::Instant now) {
  server.pool_ = &pool;
  server.pool_id_ = pool.id;
  server.state_ = ServerState::Leased;
  server.generation_ = pool.generation;
  server.is_given_ = false;
  pool.servers.push_back(server);
  ++pool.leased_count;
  if (server.tenure_.expires_at != base::kNever)
    schedule(pool, std::max(now, server.tenure_.expires_at));
  refresh_spare(pool);
  check_pool(pool);
}

}  // namespace pgweir::pool

#include "proxy/holders.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/errands.h"
#include "proxy/without_literals.h"

namespace pgweir::proxy {
namespace {

constexpr std::size_t kStatementBytesMax = 60;
constexpr std::size_t kNameBytesMax = 63;
// Between two questions about the same pool.
constexpr base::Duration kAskEvery = std::chrono::milliseconds(100);
// What is older than some sweeps is of no use: whoever is named in it may have gone long ago.
constexpr base::Duration kStaleAfter = std::chrono::milliseconds(1500);

std::string_view doing(const Server& server) {
  if (!server.cycle.is_quiet()) return "active";
  return server.cycle.transaction_status() == 'I' ? "idle" : "idle in transaction";
}

// What a client says of itself reaches another one's log and screen: nothing but what PostgreSQL
// lets through in application_name (pg_clean_ascii, NAMEDATALEN).
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kNameBytesMax));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

Holder describe(const Server& server) {
  const Client& client = *server.client;
  const std::string name =
      client.application_name.empty() ? "a client" : shown(client.application_name);
  return {.client = fmt::format("{} at {}", name, client.peer),
          .doing = std::string(doing(server)),
          .since = client.leased_at,
          .statement = shown(without_literals({server.statement.data(), server.statement_bytes},
                                              kStatementBytesMax))};
}

}  // namespace

void Holders::ask(const Route& route, base::Instant now) {
  if (!has_others() || state_.options->error_detail == ErrorDetail::None) return;
  const auto [at, is_new] = elsewhere_.try_emplace(route.pool_level);
  if (!is_new && now - at->second.asked_at < kAskEvery) {
    next_ask_ = std::min(next_ask_, at->second.asked_at + kAskEvery);
    return;
  }
  at->second.asked_at = now;
  for (std::uint32_t i = 0; i < state_.world.placement.relay_count(); ++i) {
    if (i == state_.world.index) continue;
    auto asked = std::make_unique<HoldersAsked>();
    asked->from = state_.world.index;
    asked->pool_level = route.pool_level;
    state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::relay(i), std::move(asked));
  }
}

void Holders::handle_time(base::Instant now) {
  if (now < next_ask_) return;
  next_ask_ = base::kNever;
  ask_for_waiters(now);
}

void Holders::ask_for_waiters(base::Instant now) {
  for (std::uint32_t i = 0; i < state_.routes.count(); ++i) {
    const base::PoolId pool{i};
    if (state_.shard.counts(pool).waiting != 0) ask(state_.routes.at(pool), now);
  }
}

void Holders::sweep(base::Instant now) {
  if (!has_others()) return;
  ask_for_waiters(now);
  std::erase_if(elsewhere_,
                [&](const auto& entry) { return now - entry.second.asked_at >= kStaleAfter; });
}

void Holders::handle_asked(const HoldersAsked& asked) {
  auto told = std::make_unique<HoldersTold>();
  told->from = state_.world.index;
  told->pool_level = asked.pool_level;
  told->counts = count_own(state_.routes.find_by_level(asked.pool_level));
  const base::Mailbox to = base::Mailbox::relay(asked.from);
  state_.world.io.hand_over(base::ConnectionId::None, to, std::move(told));
}

void Holders::handle_told(HoldersTold& told, base::Instant now) {
  const auto at = elsewhere_.find(told.pool_level);
  if (at == elsewhere_.end()) return;
  at->second.told[told.from] = {.at = now, .counts = std::move(told.counts)};
}

// nullptr: the pool has never been used here.
HolderCounts Holders::count_own(const Route* route) const {
  HolderCounts counted;
  std::vector<const Server*> own;
  state_.registry.for_each_server([&](const Server& server) {
    if (server.client == nullptr) return;
    if (server.route == route) {
      own.push_back(&server);
    } else {
      ++counted.stranger_count;
    }
  });
  counted.holder_count = static_cast<std::uint32_t>(own.size());
  if (route == nullptr) return counted;
  const std::size_t named = std::min(own.size(), kHoldersNamedMax);
  std::partial_sort(
      own.begin(), own.begin() + static_cast<std::ptrdiff_t>(named), own.end(),
      [](const Server* a, const Server* b) { return a->client->leased_at < b->client->leased_at; });
  for (std::size_t i = 0; i < named; ++i) counted.longest.push_back(describe(*own[i]));
  const pool::PoolCounts counts = state_.shard.counts(route->pool);
  counted.open_count = counts.idle + counts.leased;
  counted.waiting_count = state_.errands->waiting_clients(route->pool);
  return counted;
}

HolderCounts Holders::of(const Route& route, base::Instant now) const {
  HolderCounts all = count_own(&route);
  const auto elsewhere = elsewhere_.find(route.pool_level);
  if (elsewhere == elsewhere_.end()) return all;
  for (const auto& [relay, told] : elsewhere->second.told) {
    if (now - told.at >= kStaleAfter) continue;
    const HolderCounts& there = told.counts;
    all.longest.insert(all.longest.end(), there.longest.begin(), there.longest.end());
    all.holder_count += there.holder_count;
    all.stranger_count += there.stranger_count;
    all.open_count += there.open_count;
    all.waiting_count += there.waiting_count;
  }
  std::stable_sort(all.longest.begin(), all.longest.end(),
                   [](const Holder& a, const Holder& b) { return a.since < b.since; });
  return all;
}

}  // namespace pgweir::proxy

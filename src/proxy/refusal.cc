#include "proxy/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proxy/departures.h"
#include "proxy/errands.h"
#include "proxy/login_failure.h"
#include "proxy/without_literals.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// PostgreSQL itself sends details of about this size; drivers show them whole.
constexpr std::size_t kDetailBytesMax = 1024;
constexpr std::size_t kStatementBytesMax = 60;
constexpr std::size_t kNameBytesMax = 63;
// What may follow the last holder that is named: how many more, how many of others.
constexpr std::size_t kTailBytesMax = 64;

double seconds(base::Duration time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) /
         1000.0;
}

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

std::string describe(const Server& server, base::Instant now) {
  const Client& client = *server.client;
  const std::string text =
      without_literals({server.statement.data(), server.statement_bytes}, kStatementBytesMax);
  return fmt::format("{} at {}, {}, {:.1f} s{}{}",
                     client.application_name.empty() ? "a client" : shown(client.application_name),
                     client.peer, doing(server), seconds(now - client.leased_at),
                     text.empty() ? "" : ": ", shown(text));
}

std::string holders(RelayState& state, const Client& client, base::Instant now) {
  if (state.options->error_detail == ErrorDetail::None) return {};
  std::vector<const Server*> own;
  std::size_t strangers = 0;
  state.registry.for_each_server([&](const Server& server) {
    if (server.client == nullptr) return;
    if (server.route == client.route) {
      own.push_back(&server);
    } else {
      ++strangers;
    }
  });
  std::sort(own.begin(), own.end(), [](const Server* a, const Server* b) {
    return a->client->leased_at < b->client->leased_at;
  });
  std::string text = fmt::format("{} of this database and user are in use", own.size());
  std::size_t named = 0;
  for (const Server* server : own) {
    std::string one = describe(*server, now);
    if (text.size() + one.size() + kTailBytesMax > kDetailBytesMax) break;
    text += named++ == 0 ? ": " : "; ";
    text += one;
  }
  if (named < own.size()) text += fmt::format("; and {} more", own.size() - named);
  if (strangers != 0 && state.options->error_detail == ErrorDetail::Full) {
    text += fmt::format(". Other users hold {}", strangers);
  }
  return text + ".";
}

}  // namespace

wire::Report make_refusal(RelayState& state, const Client& client, pool::RefuseReason reason,
                          const pool::Failure* failure, base::Instant now) {
  if (client.route->is_removed) return removed_report(client.route->database);
  if (reason == pool::RefuseReason::LoginFailed && failure != nullptr) {
    return {.severity = "ERROR",
            .sqlstate = failure->sqlstate.empty() ? std::string(wire::sqlstate::kConnectionFailure)
                                                  : failure->sqlstate,
            .message = failure->text,
            .detail = fmt::format("pgweir could not log in as \"{}\" to database \"{}\" at {}.",
                                  client.route->plan->user, client.route->plan->server_database,
                                  client.route->node),
            .hint = std::string(advice_on_login(failure->sqlstate))};
  }
  const pool::PoolCounts counts = state.shard.counts(client.route->pool);
  const std::uint32_t waiting = state.errands->waiting_clients(client.route->pool);
  wire::Report report{.severity = "ERROR",
                      .sqlstate = std::string(wire::sqlstate::kTooManyConnections),
                      .message = {},
                      .detail = failure == nullptr ? holders(state, client, now) : std::string(),
                      .hint = {}};
  if (reason == pool::RefuseReason::QueueFull) {
    report.message = fmt::format(
        "too many clients wait for a connection to database \"{}\": {} of {}",
        client.route->database, waiting, state.shard.options(client.route->pool).waiter_count_max);
  } else {
    report.message = fmt::format(
        "no connection to database \"{}\" became free within {:g} s; {} open, {} waiting",
        client.route->database, seconds(now - client.since()), counts.idle + counts.leased,
        waiting);
  }
  if (failure != nullptr) {
    report.message =
        fmt::format("no connection to database \"{}\" within {:g} s: {}", client.route->database,
                    seconds(now - client.since()), failure->text);
    report.hint = outlook_on_login(failure->sqlstate, client.route->plan->user);
  } else {
    report.hint =
        "Shorten transactions, end those that idle, or raise pool_timeout (query_wait_timeout) to "
        "wait longer.";
  }
  return report;
}

wire::Report make_wait_notice(RelayState& state, const Client& client, base::Instant now) {
  const pool::PoolCounts counts = state.shard.counts(client.route->pool);
  const pool::Failure* failure = state.shard.last_failure(client.route->pool);
  return {.severity = "NOTICE",
          .sqlstate = std::string(wire::sqlstate::kSuccessfulCompletion),
          .message = fmt::format("waiting for a connection to database \"{}\" since {:.0f} s",
                                 client.route->database, seconds(now - client.since())),
          .detail = failure != nullptr
                        ? failure->text
                        : fmt::format("{} connections are in use, {} clients wait.", counts.leased,
                                      state.errands->waiting_clients(client.route->pool)),
          .hint = {}};
}

}  // namespace pgweir::proxy

#include "proxy/refusal.h"

#include <fmt/format.h>

#include "proxy/departures.h"
#include "proxy/errands.h"
#include "proxy/holders.h"
#include "proxy/login_failure.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// PostgreSQL itself sends details of about this size; drivers show them whole.
constexpr std::size_t kDetailBytesMax = 1024;
// What may follow the last holder that is named: how many more, how many of others.
constexpr std::size_t kTailBytesMax = 64;

double seconds(base::Duration time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) /
         1000.0;
}

std::string describe(const Holder& holder, base::Instant now) {
  return fmt::format("{}, {}, {:.1f} s{}{}", holder.client, holder.doing,
                     seconds(now - holder.since), holder.statement.empty() ? "" : ": ",
                     holder.statement);
}

std::string describe(const HolderCounts& holders, ErrorDetail detail, base::Instant now) {
  if (detail == ErrorDetail::None) return {};
  std::string text = fmt::format("{} of this database and user are in use", holders.holder_count);
  std::size_t named = 0;
  for (const Holder& holder : holders.longest) {
    std::string one = describe(holder, now);
    if (text.size() + one.size() + kTailBytesMax > kDetailBytesMax) break;
    text += named++ == 0 ? ": " : "; ";
    text += one;
  }
  if (named < holders.holder_count)
    text += fmt::format("; and {} more", holders.holder_count - named);
  if (holders.stranger_count != 0 && detail == ErrorDetail::Full)
    text += fmt::format(". Other users hold {}", holders.stranger_count);
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
  const HolderCounts holders = state.holders->of(*client.route, now);
  wire::Report report{.severity = "ERROR",
                      .sqlstate = std::string(wire::sqlstate::kTooManyConnections),
                      .message = {},
                      .detail = failure == nullptr
                                    ? describe(holders, state.options->error_detail, now)
                                    : std::string(),
                      .hint = {}};
  if (reason == pool::RefuseReason::QueueFull) {
    report.message =
        fmt::format("too many clients wait for a connection to database \"{}\": {} of {}",
                    client.route->database, state.errands->waiting_clients(client.route->pool),
                    state.shard.options(client.route->pool).waiter_count_max);
  } else {
    report.message = fmt::format(
        "no connection to database \"{}\" became free within {:g} s; {} open, {} waiting",
        client.route->database, seconds(now - client.since()), holders.open_count,
        holders.waiting_count);
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
  const HolderCounts holders = state.holders->of(*client.route, now);
  const pool::Failure* failure = state.shard.last_failure(client.route->pool);
  return {.severity = "NOTICE",
          .sqlstate = std::string(wire::sqlstate::kSuccessfulCompletion),
          .message = fmt::format("waiting for a connection to database \"{}\" since {:.0f} s",
                                 client.route->database, seconds(now - client.since())),
          .detail = failure != nullptr ? failure->text
                                       : fmt::format("{} connections are in use, {} clients wait.",
                                                     holders.holder_count, holders.waiting_count),
          .hint = {}};
}

}  // namespace pgweir::proxy

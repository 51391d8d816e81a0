#include "client/denial.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "client/clock.h"

namespace pgweir::client {
namespace {

constexpr std::size_t kHoldersNamed = 5;

double seconds_of(base::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string describe_holder(const LeaseNote& lease, base::Instant now) {
  return fmt::format("{}:{}{} for {:.1f} s", lease.where.file, lease.where.line,
                     lease.tag == nullptr ? "" : fmt::format(" ({})", lease.tag),
                     seconds_of(now - lease.since));
}

std::string describe_holders(const std::vector<LeaseNote>& leases, base::Instant now) {
  if (leases.empty()) return "";
  std::string text = "; held by ";
  for (std::size_t i = 0; i < std::min(leases.size(), kHoldersNamed); ++i) {
    text += (i == 0 ? "" : ", ") + describe_holder(leases[i], now);
  }
  if (leases.size() > kHoldersNamed) {
    text += fmt::format(" and {} more", leases.size() - kHoldersNamed);
  }
  return text;
}

error_kind kind_of(Denial denial) {
  switch (denial) {
    case Denial::TimedOut: return error_kind::acquire_timeout;
    case Denial::QueueFull: return error_kind::queue_full;
    case Denial::LoginFailed: return error_kind::connect;
    case Denial::Closed: return error_kind::pool_closed;
    case Denial::Cancelled: return error_kind::cancelled;
  }
  return error_kind::pool_closed;
}

std::string happened(Denial denial, base::Duration waited) {
  switch (denial) {
    case Denial::TimedOut:
      return fmt::format("no connection became free within {:.1f} s", seconds_of(waited));
    case Denial::QueueFull: return "as many callers wait for a connection as are allowed to";
    case Denial::LoginFailed: return "PostgreSQL refuses connections";
    case Denial::Closed: return "the pool was shut down";
    case Denial::Cancelled:
      return fmt::format("the caller stopped waiting after {:.1f} s", seconds_of(waited));
  }
  return "";
}

}  // namespace

error_info explain_denial(const Database& database, const Request& request, const Grant& grant,
                          base::Instant since) {
  const pool::PoolCounts counts = database.counts();
  const Settings& settings = database.settings();
  std::string text =
      fmt::format("{}: {}", describe(settings), happened(grant.denial, precise_now() - since));
  if (grant.denial == Denial::TimedOut || grant.denial == Denial::QueueFull) {
    text +=
        fmt::format(": of at most {}, {} are in use, {} idle, {} logging in, {} ending; {} wait",
                    database.limit(), counts.leased, counts.idle, counts.connecting, counts.closing,
                    counts.waiting);
    text += describe_holders(database.leases(), coarse_now());
  }
  error_info info{.kind = kind_of(grant.denial), .text = {}, .where = request.where};
  if (grant.failure != nullptr) {
    text += (grant.denial == Denial::LoginFailed ? ": " : "; the last login failed: ") +
            grant.failure->text;
    info.sqlstate = sqlstate(grant.failure->sqlstate);
  }
  info.text = std::move(text);
  return info;
}

}  // namespace pgweir::client

#include "pgweir/listener.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/clock.h"
#include "client/conversation.h"
#include "client/database.h"
#include "client/stop_sign.h"

namespace pgweir {
namespace client {
namespace {

// A connection on which nothing was heard for so long is asked whether it is alive.
constexpr base::Duration kPingAfter = std::chrono::seconds(30);
constexpr base::Duration kPingMax = std::chrono::seconds(5);

struct FreeNotify {
  void operator()(PGnotify* notify) const { PQfreemem(notify); }
};
struct FreeText {
  void operator()(char* text) const { PQfreemem(text); }
};

}  // namespace

class ListenerCore {
 public:
  ListenerCore(database_pool& db, std::vector<std::string> channels, code_location where)
      : db_(db), channels_(std::move(channels)), where_(where) {
    connect();
  }

  std::optional<notification> wait(base::Instant deadline, const std::stop_token& token) {
    const StopSign stop(token);
    while (true) {
      if (!lease_) connect();
      if (std::exchange(has_gap_, false)) return notification{.is_gap = true};
      PGconn* const connection = (*lease_)->native_handle();
      if (auto heard = take(connection)) return heard;
      const Database& database = *(*lease_)->database_;
      const Patience patience{.deadline = std::min(deadline, ping_at_),
                              .stop = stop.descriptor(),
                              .abort = database.closed().descriptor()};
      const Waited waited = read_some(connection, patience);
      if (waited == Waited::Stopped) refuse(database);
      if (waited == Waited::TimedOut && deadline <= precise_now()) return std::nullopt;
      if (waited == Waited::TimedOut) ping();
      if (lease_ && PQstatus(connection) != CONNECTION_OK) lose();
    }
  }

 private:
  // DISCARD ALL before the next lease, for the handle was taken, ends the listening.
  void connect() {
    connection_lease lease = db_.acquire({.tag = "listener", .is_lasting = true}, where_);
    PGconn* const connection = lease->native_handle();
    for (const std::string& channel : channels_) {
      const std::unique_ptr<char, FreeText> name(
          PQescapeIdentifier(connection, channel.data(), channel.size()));
      if (!name) {
        throw_error({.kind = error_kind::value,
                     .text = "\"" + channel + "\" is no name of a channel",
                     .where = where_});
      }
      const std::string text = fmt::format("listen {}", name.get());
      lease->query(sql(text, where_));
    }
    lease_ = std::move(lease);
    ping_at_ = precise_now() + kPingAfter;
  }

  std::optional<notification> take(PGconn* connection) {
    const std::unique_ptr<PGnotify, FreeNotify> heard(PQnotifies(connection));
    if (!heard) return std::nullopt;
    ping_at_ = precise_now() + kPingAfter;
    return notification{
        .channel = heard->relname, .payload = heard->extra, .backend_pid = heard->be_pid};
  }

  [[noreturn]] void refuse(const Database& database) {
    const bool is_closed = database.is_closed();
    if (is_closed) lease_.reset();
    throw_error({.kind = is_closed ? error_kind::pool_closed : error_kind::cancelled,
                 .text = is_closed ? "the pool was shut down" : "it was stopped",
                 .where = where_});
  }

  void ping() {
    ping_at_ = precise_now() + kPingAfter;
    if (!(*lease_)->try_query(sql("select 1", where_).timeout(kPingMax))) lose();
  }

  void lose() {
    lease_->discard();
    lease_.reset();
    has_gap_ = true;
  }

  database_pool& db_;
  const std::vector<std::string> channels_;
  const code_location where_;
  std::optional<connection_lease> lease_;
  bool has_gap_ = false;
  base::Instant ping_at_;
};

}  // namespace client

inline namespace v1 {
namespace {

constexpr std::chrono::hours kLongest(24 * 365);

}  // namespace

listener::listener(database_pool& db, std::vector<std::string> channels, code_location where)
    : core_(std::make_unique<client::ListenerCore>(db, std::move(channels), where)) {}
listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

std::optional<notification> listener::wait(std::chrono::milliseconds time,
                                           const std::stop_token& stop) {
  const bool is_endless = time > kLongest;
  return core_->wait(is_endless ? base::kNever : client::precise_now() + time, stop);
}

}  // namespace v1
}  // namespace pgweir

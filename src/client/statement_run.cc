#include "client/statement_run.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stop_token>
#include <utility>

#include "client/cancelling.h"
#include "client/clock.h"
#include "client/events.h"

namespace pgweir::client {
namespace {

// For the answer to a cancel.
constexpr base::Duration kCancelMax = std::chrono::seconds(2);

std::string_view field_of(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string_view() : text;
}

std::string at(const code_location& where) {
  return fmt::format(" ({}:{})", where.file, where.line);
}

// A descriptor that becomes readable when a stop is requested; none where nobody can.
class StopSign {
 public:
  explicit StopSign(const std::stop_token& token) {
    if (!token.stop_possible()) return;
    descriptor_ = ::eventfd(0, EFD_CLOEXEC);
    callback_.emplace(token, Raise{descriptor_});
  }
  StopSign(const StopSign&) = delete;
  StopSign& operator=(const StopSign&) = delete;
  ~StopSign() {
    callback_.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  struct Raise {
    int descriptor;
    void operator()() const { ::eventfd_write(descriptor, 1); }
  };
  int descriptor_ = -1;
  std::optional<std::stop_callback<Raise>> callback_;
};

error_info lost(const PGconn* connection, const code_location& where) {
  std::string said = PQerrorMessage(connection);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return {.kind = error_kind::server,
          .text = "the connection was lost: " + said + at(where),
          .is_connection_lost = true,
          .where = where};
}

bool has_succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

// What the server has to say after a cancel is of no interest; that it is over with it is.
bool has_come_to_rest(Database& database, PGconn* connection) {
  const base::Instant until = precise_now() + kCancelMax;
  return cancel_and_wait(database.blocking_work(), connection, kCancelMax) &&
         drain(connection, {.deadline = until}) == Waited::Ready;
}

// Nobody knows what is still to come: the connection is of no more use.
void cut_off(PGconn* connection) {
  ::shutdown(PQsocket(connection), SHUT_RDWR);
  PQconsumeInput(connection);
}

error_info refuse_copy(PGconn* connection, const code_location& where) {
  cut_off(connection);
  return {.kind = error_kind::value,
          .text = "COPY from or to the client is no query; the connection was cut" + at(where),
          .is_connection_lost = true,
          .where = where};
}

error_info give_up(Database& database, PGconn* connection, Waited waited, const sql& call) {
  const bool is_late = waited == Waited::TimedOut;
  error_info info{.kind = error_kind::cancelled,
                  .text = is_late ? "the statement took longer than it may" : "it was stopped",
                  .sqlstate = sqlstate::query_canceled,
                  .where = call.where()};
  if (has_come_to_rest(database, connection)) {
    info.text += "; PostgreSQL was told to give it up";
  } else {
    cut_off(connection);
    info.text += "; PostgreSQL did not answer, and the connection was cut";
    info.is_connection_lost = true;
  }
  info.text += at(call.where());
  return info;
}

}  // namespace

error_info explain_error(const PGresult* result, const code_location& where) {
  const std::string_view state = field_of(result, PG_DIAG_SQLSTATE);
  if (state.empty()) {
    return {.kind = error_kind::server,
            .text = PQresultErrorMessage(result) + at(where),
            .where = where};
  }
  std::string text = fmt::format("{} [{}]", field_of(result, PG_DIAG_MESSAGE_PRIMARY), state);
  const std::string_view detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);
  const std::string_view hint = field_of(result, PG_DIAG_MESSAGE_HINT);
  if (!detail.empty()) text += fmt::format("; {}", detail);
  if (!hint.empty()) text += fmt::format("; {}", hint);
  return {.kind = error_kind::server,
          .text = text + at(where),
          .sqlstate = sqlstate(state),
          .where = where};
}

result<rows> check_size(Database& database, rows result, const sql& call) {
  const config::LibraryOptions& options = database.settings().library;
  const std::size_t max = call.max_rows().value_or(options.row_count_max);
  const std::size_t count = result.size();
  if (max != 0 && count > max) {
    return error_info{.kind = error_kind::result_too_large,
                      .text = fmt::format("the statement brought {} rows, and {} are allowed{}",
                                          count, max, at(call.where())),
                      .where = call.where()};
  }
  // Who has said how many there may be has thought about it.
  const bool is_meant = call.max_rows().has_value() || options.row_count_max != 0;
  if (!is_meant && options.row_count_warned != 0 && count > options.row_count_warned) {
    database.log().event(kManyRows, {obs::kv("at", text_of(call.where())), obs::kv("rows", count)});
  }
  return result;
}

result<std::vector<Result>> run_statements(Database& database, Server& server,
                                           std::span<const Statement> statements, const sql& call) {
  if (database.is_of_parent()) return explain_fork(call.where());
  PGconn* const connection = server.connection.get();
  const StopSign stop(call.stop());
  Patience patience{.stop = stop.descriptor()};
  if (call.timeout()) patience.deadline = precise_now() + *call.timeout();
  std::vector<Statement> all;
  const bool has_rollback = std::exchange(server.must_roll_back, false);
  if (has_rollback) {
    all.push_back({.text = "rollback"});
    all.insert(all.end(), statements.begin(), statements.end());
    statements = all;
  }
  Replies replies;
  if (statements.size() == 1) {
    replies.waited = converse(connection, statements[0], patience, replies.results.emplace_back());
  } else {
    replies = converse(connection, statements, patience);
  }
  if (replies.waited == Waited::TimedOut || replies.waited == Waited::Stopped) {
    return give_up(database, connection, replies.waited, call);
  }
  for (const Result& result : replies.results) {
    if (result == nullptr || has_succeeded(result.get())) continue;
    if (is_copy(result.get())) return refuse_copy(connection, call.where());
    error_info info = explain_error(result.get(), call.where());
    info.is_connection_lost = replies.waited == Waited::Lost;
    return info;
  }
  const bool is_whole = replies.results.size() == statements.size() && replies.results.back();
  if (replies.waited == Waited::Lost || !is_whole) return lost(connection, call.where());
  if (has_rollback) replies.results.erase(replies.results.begin());
  return std::move(replies.results);
}

}  // namespace pgweir::client

#include <algorithm>
#include <set>
#include <utility>

#include "sim/client.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/rows.h"
#include "wire/sqlstate.h"

namespace pgweir::sim {

namespace sqlstate = wire::sqlstate;

// Whatever comes is taken for an answer: those who wait so shortly get no notice about it.
void Client::check_delay() {
  const base::Instant asked_at = std::exchange(asked_at_, base::kNever);
  if (rules_.answer_max == base::Duration::zero() || asked_at == base::kNever) return;
  if (world_.now() - asked_at <= rules_.answer_max) return;
  complain("waited for longer than pool_timeout");
}

void Client::handle_reply(const wire::Frame& frame) {
  if (farewell_) complain(std::string("a message '") + frame.type + "' behind a FATAL");
  if (script_.empty())
    complain(std::string("a message '") + frame.type + "' that nobody asked for");
  const Expected expected = script_.next();
  if (expected.type != frame.type) {
    complain(std::string("a message '") + frame.type + "' where '" + expected.type + "' is due" +
             (expected.statement ? " of " + expected.statement->text : ""));
  }
  script_.pop();
  switch (frame.type) {
    case '1':
      if (!expected.text.empty()) prepared_[expected.text] = expected.query;
      readings_[expected.text] = {session_->reading()};
      break;
    case '3': prepared_.erase(expected.text); break;
    case 'D': check_row(expected, frame); break;
    case 'd': check_copy_line(expected, frame); break;
    case 'C': take_completion(expected, frame); break;
    case 'G': send_copy_data(*expected.statement); break;
    case 'V':
      if (base::as_text(frame.body.subspan(4)) != expected.text) complain("a foreign value");
      session_->begin_statement();
      break;
    case 'Z': take_ready(frame); break;
    default: break;
  }
  if (script_.empty()) finish_unit();
}

void Client::check_row(const Expected& expected, const wire::Frame& frame) const {
  const auto row = wire::parse_data_row(frame.body);
  if (!row || row->size() != 1 || !row->front()) complain("a malformed row");
  const std::string got(*row->front());
  const Statement& statement = *expected.statement;
  std::string wanted;
  const std::set<std::string> now{session_->reading()};
  const bool is_echo = statement.verb != Verb::Show && statement.verb != Verb::Rows;
  if (statement.verb == Verb::Show) {
    wanted = session_->value(statement.name);
  } else if (statement.verb == Verb::Rows) {
    wanted = to_text(statement.mark) + " " + std::to_string(expected.index) + " " +
             std::string(statement.bytes, 'x');
  } else {
    wanted = expected.query + "|" + expected.text + "|" + session_->digest();
  }
  if (!is_echo) {
    if (got != wanted) complain("the answer is \"" + got + "\", not \"" + wanted + "\"");
    return;
  }
  // A server that lacks a statement parses it as its client reads then (docs/decisions/0008).
  const std::set<std::string>& own = expected.prepared ? readings_.at(*expected.prepared) : now;
  const bool is_own = std::any_of(own.begin(), own.end(), [&](const std::string& reading) {
    return got == wanted + "|" + reading;
  });
  if (!is_own) complain("the answer is \"" + got + "\", not \"" + wanted + "\"");
}

void Client::check_copy_line(const Expected& expected, const wire::Frame& frame) const {
  const Statement& statement = *expected.statement;
  const std::string wanted = to_text(statement.mark) + " " + std::to_string(expected.index) + " " +
                             std::string(statement.bytes, 'x') + "\n";
  if (base::as_text(frame.body) != wanted) complain("a foreign line of COPY");
}

void Client::take_completion(const Expected& expected, const wire::Frame& frame) {
  const Statement& statement = *expected.statement;
  session_->begin_statement();
  std::string wanted = session_->apply(statement);
  note_reading();
  if (statement.verb == Verb::CopyIn || statement.verb == Verb::CopyOut ||
      (returns_rows(statement.verb) && statement.verb != Verb::Show)) {
    wanted += " " + std::to_string(statement.count);
  }
  const auto tag = wire::parse_command_complete(frame.body);
  if (!tag || *tag != wanted) {
    complain("the tag \"" + std::string(tag ? *tag : "?") + "\" where \"" + wanted + "\" is due");
  }
  if (statement.verb == Verb::DeallocateAll || statement.verb == Verb::DiscardAll) {
    prepared_.clear();
  }
  if (statement.verb == Verb::Deallocate) prepared_.erase(statement.name);
}

void Client::note_reading() {
  for (auto& [name, readings] : readings_) readings.insert(session_->reading());
}

void Client::take_ready(const wire::Frame& frame) {
  is_batch_open_ = is_in_error_ = false;
  session_->end_batch();
  note_reading();
  const auto status = wire::parse_ready_for_query(frame.body);
  if (!status || *status != session_->status()) {
    complain(std::string("ready with status '") + (status ? *status : '?') + "', not '" +
             session_->status() + "'");
  }
}

void Client::finish_unit() {
  if (is_batch_open_) {
    // What was only flushed is answered; Sync is due, sooner or later.
    is_batch_open_ = false;
    world_.after(world_.between(std::chrono::microseconds(1), std::chrono::milliseconds(3)),
                 [self = shared_from_this(), life = life_] {
                   if (self->life_ != life) return;
                   self->script_.bytes.clear();
                   self->script_.sync();
                   self->write(self->script_.bytes);
                 });
    return;
  }
  ++answered_count_;
  if (session_->status() == 'I') {
    check_belonging();
    for (const auto& [name, value] : reported_) {
      if (!is_reported(name) || canonical_value(name, value) == session_->value(name)) continue;
      complain("was told that " + name + " is \"" + value + "\", but it is \"" +
               session_->value(name) + "\"");
    }
  }
  phase_ = Phase::Ready;
  think();
}

// It has asked for nothing and holds no server: what servers say or suffer is no concern of its.
bool Client::is_at_rest() const {
  const bool is_pinned = rules_.keeps_server || rules_.may_keep_names || rules_.reads_apart ||
                         session_->has_state() || has_called_function_;
  const bool is_at_ease = phase_ == Phase::Ready && session_->status() == 'I';
  const bool has_cancelled = cancels_pending_ > 0 || unit_ <= cancellable_unit_;
  return is_at_ease && !is_pinned && !has_cancelled;
}

base::Instant Client::waits_since() const {
  const bool is_waiting = phase_ == Phase::Busy && session_->status() == 'I' &&
                          !session_->has_state() && rest_.empty() && outbox_.empty();
  return is_waiting ? asked_at_ : base::kNever;
}

// pgweir's own notices bear no mark.
void Client::handle_notice(const wire::Report& report) const {
  const Mark mark = find_mark(report.message);
  if (mark.client != 0 && mark.client != number_) complain("a notice for " + to_text(mark));
  if (report.message == kMuttering && is_at_rest()) complain("a notice for nobody");
  if (report.message == "a remark on " + to_text({})) complain("a notice for pgweir");
}

void Client::handle_error(const wire::Report& report) {
  const bool is_due =
      !script_.empty() && script_.next().type == 'E' && script_.next().text == report.sqlstate;
  if (!is_due && !may_happen(report)) {
    complain("gets " + report.severity + " " + report.sqlstate + ": " + report.message + " (" +
             report.detail + ")");
  }
  if (report.ends_the_session()) return handle_farewell(report);
  if (script_.empty() || is_in_error_) complain("an error that answers nothing: " + report.message);
  is_in_error_ = true;
  session_->begin_statement();
  session_->fail();
  note_reading();
  script_.skip_to_ready();
  if (script_.empty()) finish_unit();
}

bool Client::may_happen(const wire::Report& report) const {
  if (report.sqlstate == sqlstate::kQueryCanceled) {
    return cancels_pending_ > 0 || unit_ <= cancellable_unit_;
  }
  if (report.sqlstate == sqlstate::kTooManyConnections) {
    const bool is_proper = !report.ends_the_session() || phase_ == Phase::LoggingIn;
    return rules_.may_be_refused && (is_proper || door_.cuts_at());
  }
  if (report.sqlstate == sqlstate::kInvalidCatalogName) {
    return phase_ == Phase::LoggingIn && door_.was_removed(database_);
  }
  if (report.sqlstate == sqlstate::kIdleInTransactionSessionTimeout) {
    return rules_.may_idle_too_long;
  }
  if (report.sqlstate == sqlstate::kConnectionFailure ||
      report.sqlstate == sqlstate::kAdminShutdown) {
    if (is_at_rest() && !door_.cuts_at() && !door_.was_removed(database_)) return false;
    const bool is_departure = (door_.cuts_at() || door_.was_removed(database_)) &&
                              report.sqlstate == sqlstate::kAdminShutdown;
    return (rules_.may_lose_servers || is_departure) && report.ends_the_session();
  }
  return false;
}

// Some lines, each with the mark of its statement; then the end, or the news that there is none.
void Client::send_copy_data(const Statement& statement) {
  base::ByteBuffer out;
  for (std::size_t i = 0; i < statement.count; ++i) {
    wire::FrameWriter(out, 'd').text(to_text(statement.mark) + " " + std::string(i % 90, 'y') +
                                     "\n");
  }
  if (world_.chance(world_.faults.vanish)) {
    write(base::Bytes(out).first(world_.between(std::size_t{0}, out.size())));
    hang_up();
    return;
  }
  const bool gives_up = world_.chance(0.2);
  const bool is_bad = statement.text.starts_with("COPY bad") && statement.count > 0;
  if (is_bad) {
    script_.replace_next({.type = 'E', .text = kBadCopy});
    wire::FrameWriter(out, 'c');
  } else if (gives_up) {
    wire::encode_copy_fail(out, "changed its mind");
    script_.replace_next({.type = 'E', .text = std::string(sqlstate::kQueryCanceled)});
  } else {
    wire::FrameWriter(out, 'c');
  }
  if (is_extended_copy_) wire::encode_sync(out);
  if (is_bad) return write_in_parts(out);
  write(out);
}

}  // namespace pgweir::sim

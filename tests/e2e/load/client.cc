#include "client.h"

#include <cstring>
#include <string_view>

namespace pgweir::load {

Seconds Run::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Client::Client(Run& run, Kind kind) : run_(run) {
  progress_.kind = kind;
  progress_.client = run.tally.add_client(kind);
}

void Client::start() {
  if (progress_.kind != Kind::Connect) connect();
}

void Client::begin() {
  if (state_ != State::Idle) return;
  if (connection_ == nullptr && progress_.kind != Kind::Connect) {
    connect();
  } else {
    begin_operation();
  }
}

void Client::connect() {
  connection_.reset(PQconnectStart(run_.url.c_str()));
  PQsetNoticeReceiver(connection_.get(), hear_notice, this);
  farewell_.clear();
  progress_.is_prepared = false;
  state_ = State::Connecting;
  wants_write_ = true;
  if (PQstatus(connection_.get()) == CONNECTION_BAD) poll_connect();
}

void Client::poll_connect() {
  switch (PQconnectPoll(connection_.get())) {
    case PGRES_POLLING_READING: wants_write_ = false; return;
    case PGRES_POLLING_WRITING: wants_write_ = true; return;
    case PGRES_POLLING_OK:
      PQsetnonblocking(connection_.get(), 1);
      wants_write_ = false;
      state_ = State::Idle;
      if (progress_.kind == Kind::Connect) {
        send();
      } else if (run_.has_begun) {
        begin_operation();
      }
      return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE: break;
  }
  // libpq keeps no SQLSTATE of a refused login; its text tells a FATAL from a bare close.
  const std::string message = PQerrorMessage(connection_.get());
  fail(message.find("FATAL") == std::string::npos ? "" : "login", message);
  has_failed_ = false;
  connection_.reset();
  state_ = run_.is_over ? State::Done : State::Idle;  // begin() tries again.
}

void Client::handle_ready() {
  if (state_ == State::Connecting) {
    poll_connect();
  } else if (state_ == State::Busy) {
    if (PQconsumeInput(connection_.get()) == 0 && PQstatus(connection_.get()) != CONNECTION_BAD) {
      fail("", PQerrorMessage(connection_.get()));
    }
    wants_write_ = PQflush(connection_.get()) == 1;
    read_results();
  } else if (run_.is_over) {
    state_ = State::Done;
  }
}

void Client::begin_operation() {
  has_failed_ = false;
  began_ = run_.now();
  ++progress_.turn;
  progress_.step = progress_.is_prepared ? 1 : 0;
  if (progress_.kind == Kind::Connect) {
    connect();
  } else {
    send();
  }
}

void Client::send() {
  state_ = State::Busy;
  switch (send_step(connection_.get(), progress_)) {
    case Sent::Yes: wants_write_ = PQflush(connection_.get()) == 1; return;
    case Sent::NothingLeft: end_operation(); return;
    case Sent::Failed:
      fail("", PQerrorMessage(connection_.get()));
      end_step();
      return;
  }
}

void Client::read_results() {
  while (state_ == State::Busy) {
    if (is_copying_out_ && !read_copy_out()) return;
    if (PQisBusy(connection_.get()) == 1) return;
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr) {
      end_step();
      return;  // The next step's answer cannot be here yet.
    }
    take_result(result);
    PQclear(result);
  }
}

// Returns whether the rows are over.
bool Client::read_copy_out() {
  for (;;) {
    char* row = nullptr;
    const int bytes = PQgetCopyData(connection_.get(), &row, 1);
    if (bytes == 0) return false;
    if (bytes < 0) break;
    ++copied_rows_;
    const std::string token = expected_token(progress_).value_or("");
    if (std::strncmp(row, token.c_str(), token.size()) != 0) fail("", "rows of somebody else");
    PQfreemem(row);
  }
  is_copying_out_ = false;
  return true;
}

void Client::take_result(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COPY_IN) {
    const std::string rows = copy_rows(progress_);
    PQputCopyData(connection_.get(), rows.data(), static_cast<int>(rows.size()));
    PQputCopyEnd(connection_.get(), nullptr);
    wants_write_ = PQflush(connection_.get()) == 1;
  } else if (status == PGRES_COPY_OUT) {
    is_copying_out_ = true;
    copied_rows_ = 0;
  } else if (status == PGRES_TUPLES_OK) {
    check_token(result);
  } else if (status != PGRES_COMMAND_OK) {
    const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    fail(sqlstate != nullptr ? sqlstate : "",
         primary != nullptr ? primary : PQresultErrorMessage(result));
  } else if (progress_.kind == Kind::Copy && progress_.step == 1 && copied_rows_ != kCopyOutRows) {
    fail("", "COPY out brought " + std::to_string(copied_rows_) + " rows");
  }
}

void Client::check_token(const PGresult* result) {
  const auto expected = expected_token(progress_);
  if (!expected || is_rolling_back_) return;
  if (PQntuples(result) != 1 || std::string_view(PQgetvalue(result, 0, 0)) != *expected) {
    fail("", "an answer meant for somebody else");
  }
}

void Client::end_step() {
  is_copying_out_ = false;
  if (has_failed_ || is_rolling_back_) return end_operation();
  if (progress_.kind == Kind::Prepared) progress_.is_prepared = true;
  if (progress_.kind == Kind::Transaction && progress_.step == 3) run_.tally.count_commit();
  ++progress_.step;
  send();
}

void Client::end_operation() {
  if (!has_failed_ && !run_.is_over) {
    run_.tally.count_operation(progress_.client, run_.now() - began_);
  }
  if (has_failed_ && !is_rolling_back_) run_.tally.count_broken(progress_.client);
  if (progress_.kind == Kind::Connect) connection_.reset();
  state_ = State::Idle;
  if (has_failed_ && connection_ != nullptr) return recover();
  is_rolling_back_ = false;
  if (run_.is_over) return leave();
  begin_operation();
}

void Client::recover() {
  if (PQstatus(connection_.get()) == CONNECTION_BAD) {
    is_rolling_back_ = false;
    has_failed_ = false;
    return run_.is_over ? leave() : connect();
  }
  const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
  if (!is_rolling_back_ && (status == PQTRANS_INTRANS || status == PQTRANS_INERROR)) {
    is_rolling_back_ = true;
    state_ = State::Busy;
    PQsendQuery(connection_.get(), "rollback");
    wants_write_ = PQflush(connection_.get()) == 1;
    return;
  }
  is_rolling_back_ = false;
  return run_.is_over ? leave() : begin_operation();
}

void Client::leave() {
  connection_.reset();
  state_ = State::Done;
}

// Counts the first error of an operation; what follows from it is not another one.
void Client::fail(const std::string& sqlstate, const std::string& message) {
  const std::string& reason = sqlstate.empty() ? farewell_ : sqlstate;
  if (!has_failed_) run_.tally.count_error(progress_.kind, reason, message, run_.now());
  has_failed_ = true;
}

// libpq takes a FATAL for a notice when it comes while no query is under way, and tells the next
// query only of a closed connection; a direct connection would fare the same.
void Client::hear_notice(void* client, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char* sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
  const bool is_farewell = severity != nullptr && std::string_view(severity) == "FATAL";
  if (is_farewell && sqlstate != nullptr) static_cast<Client*>(client)->farewell_ = sqlstate;
}

}  // namespace pgweir::load

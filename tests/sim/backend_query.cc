#include <algorithm>

#include "sim/backend.h"
#include "wire/reply.h"
#include "wire/rows.h"
#include "wire/sqlstate.h"

namespace pgweir::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

// What a backend writes at a time (PQ_SEND_BUFFER_SIZE).
constexpr std::size_t kFlushBytes = 8192;

wire::Report error(std::string_view sqlstate, std::string message) {
  return {.severity = "ERROR", .sqlstate = std::string(sqlstate), .message = std::move(message)};
}

wire::Report cancelled() {
  return error(wire::sqlstate::kQueryCanceled, "canceling statement due to user request");
}

std::string row_text(const Statement& statement, Mark mark, std::size_t index) {
  return to_text(mark) + " " + std::to_string(index) + " " + std::string(statement.bytes, 'x');
}

}  // namespace

void Backend::handle_message(const wire::Frame& frame) {
  if (frame.type == 'X') {
    is_dismissed_ = true;
    return exit_soon();
  }
  if (is_copying_in_) return handle_copy_message(frame);
  if (skips_to_sync_ && frame.type != 'S') return;
  switch (frame.type) {
    case 'Q': handle_query(*wire::parse_query(frame.body)); return;
    case 'P': handle_parse(*wire::parse_parse(frame.body)); return;
    case 'B': handle_bind(frame.body); return;
    case 'D': handle_describe(*wire::parse_target(frame.body)); return;
    case 'E': handle_execute(*wire::parse_execute(frame.body)); return;
    case 'C': handle_close(*wire::parse_target(frame.body)); return;
    case 'F': handle_function_call(frame.body); return;
    case 'S':
      skips_to_sync_ = false;
      ready();
      return;
    case 'H': flush(); return;
    case 'd': check_late_data(find_mark(base::as_text(frame.body))); return;
    case 'c':
    case 'f': return;  // Of a COPY that has failed already.
    default: fail(describe() + ": an unknown message from pgweir");
  }
}

// Of a COPY that has failed already: ignored, but not to come to anybody else.
void Backend::check_late_data(Mark mark) const {
  if (owner_ == 0 || owner_ == mark.client) return;
  fail(describe() + ": late COPY data of " + to_text(mark) + " on the server of client " +
       std::to_string(owner_));
}

void Backend::handle_copy_message(const wire::Frame& frame) {
  if (frame.type == 'S' || frame.type == 'H') return;
  is_copying_in_ = frame.type == 'd';
  if (std::exchange(is_interrupted_, false)) {
    is_copying_in_ = false;
    raise(cancelled());
  } else if (frame.type == 'd') {
    ++running_->produced;
    const Mark mark = find_mark(base::as_text(frame.body));
    if (mark != running_->statement.mark) {
      fail(describe() + ": COPY data of " + to_text(mark) + " in " +
           to_text(running_->statement.mark));
    }
    if (running_->statement.text.find("COPY bad") != std::string::npos) {
      is_copying_in_ = false;
      raise(error(kBadCopy, "extra data after last expected column"));
    }
  } else if (frame.type == 'c') {
    complete("COPY " + std::to_string(running_->produced));
  } else if (frame.type == 'f') {
    raise(error(wire::sqlstate::kQueryCanceled, "COPY from stdin failed"));
  } else {
    fail(describe() + ": a message that may not come inside COPY");
  }
}

void Backend::handle_query(std::string_view text) {
  is_simple_ = true;
  prepared_.erase("");
  portals_.erase("");
  const std::vector<Statement> statements = parse_text(text);
  rest_of_text_.assign(statements.begin(), statements.end());
  if (rest_of_text_.empty()) {
    wire::encode_empty_query_response(reply_);
    ready();
    return;
  }
  run_next_of_text();
}

void Backend::run_next_of_text() {
  Statement next = std::move(rest_of_text_.front());
  rest_of_text_.pop_front();
  const Portal portal{
      .text = next.text, .reading = session_.reading(), .argument = {}, .statement = std::nullopt};
  run(std::move(next), portal);
}

// Whose statement this is: nobody else's may come before that client is done here.
void Backend::note(Mark mark) {
  if (mark.client == 0) return;
  if (owner_ != 0 && owner_ != mark.client) {
    fail(describe() + ": client " + std::to_string(mark.client) + " got the server of client " +
         std::to_string(owner_));
  }
  owner_ = mark.client;
}

std::optional<wire::Report> Backend::objection(const Statement& statement) const {
  const Verb verb = statement.verb;
  const char status = session_.status();
  if (status == 'E' && verb != Verb::Commit && verb != Verb::Rollback && verb != Verb::RollbackTo) {
    return error(wire::sqlstate::kInFailedSqlTransaction, "current transaction is aborted");
  }
  if ((verb == Verb::RollbackTo || verb == Verb::Release) &&
      !session_.has_savepoint(statement.name)) {
    return error("3B001", "savepoint does not exist");
  }
  if (verb == Verb::Savepoint && status == 'I') {
    return error(wire::sqlstate::kNoActiveSqlTransaction, "SAVEPOINT outside of a transaction");
  }
  if (verb == Verb::DiscardAll && status != 'I') {
    return error(wire::sqlstate::kActiveSqlTransaction, "DISCARD ALL in a transaction");
  }
  if (verb == Verb::Deallocate && prepared_.find(statement.name) == prepared_.end()) {
    return error(wire::sqlstate::kInvalidSqlStatementName, "prepared statement does not exist");
  }
  return std::nullopt;
}

void Backend::run(Statement statement, const Portal& portal) {
  if (statement.mark.client == 0) statement.mark = find_mark(portal.argument);
  note(statement.mark);
  if (host_.ledger().on_begun) host_.ledger().on_begun(statement.mark);
  session_.begin_statement();
  running_ = Running{.statement = std::move(statement),
                     .text = portal.text,
                     .reading = portal.reading,
                     .argument = portal.argument};
  is_interrupted_ = false;
  base::Duration time = running_->statement.sleep;
  if (world_.chance(0.5)) time += world_.between(microseconds(10), milliseconds(3));
  if (const auto refusal = objection(running_->statement)) {
    raise(*refusal);
    return;
  }
  if (time == base::Duration::zero()) {
    finish_running();
    return;
  }
  world_.after(time, [self = shared_from_this(), generation = ++run_generation_] {
    if (generation != self->run_generation_ || self->phase_ == Phase::Dead) return;
    self->finish_running();
    self->work();
  });
}

void Backend::interrupt() {
  if (phase_ != Phase::Session || !running_) return;  // An idle backend ignores it.
  is_interrupted_ = true;
  // While it sends or reads COPY data it looks at interrupts now and then, while it sleeps at once.
  if (is_copying_in_ || running_->is_producing) return;
  world_.after(microseconds(20), [self = shared_from_this(), generation = ++run_generation_] {
    if (generation != self->run_generation_ || self->phase_ == Phase::Dead) return;
    self->is_interrupted_ = false;
    self->raise(cancelled());
    self->work();
  });
}

void Backend::finish_running() {
  const Statement& statement = running_->statement;
  if (statement.mark.client != 0) host_.ledger().note_executed(statement.mark);
  // A client's DEALLOCATE has no mark; what else has none is pgweir's own.
  if (statement.verb != Verb::Deallocate && world_.chance(0.03)) {
    remark("NOTICE", "00000", statement.mark);
  }
  if (statement.verb == Verb::Fail) {
    raise(error("22012", "division by zero"));
  } else if (statement.verb == Verb::CopyIn) {
    wire::FrameWriter(reply_, 'G').bytes(base::as_bytes(std::string_view("\0\0\0", 3)));
    is_copying_in_ = true;
    flush();
  } else if (statement.verb == Verb::Rows || statement.verb == Verb::CopyOut) {
    running_->is_producing = true;
    if (statement.verb == Verb::CopyOut) {
      wire::FrameWriter(reply_, 'H').bytes(base::as_bytes(std::string_view("\0\0\0", 3)));
    } else if (is_simple_) {
      describe_statement(running_->text);
    }
    produce();
  } else {
    carry_out(statement);
  }
}

void Backend::carry_out(const Statement& statement) {
  const char status = session_.status();
  if ((statement.verb == Verb::Commit || statement.verb == Verb::Rollback) && status == 'I') {
    remark("WARNING", wire::sqlstate::kNoActiveSqlTransaction, statement.mark);
  }
  std::string tag = session_.apply(statement);
  if (statement.verb == Verb::DiscardAll || statement.verb == Verb::DeallocateAll) {
    prepared_.clear();
  }
  if (statement.verb == Verb::Deallocate) prepared_.erase(statement.name);
  if (statement.verb == Verb::Inquire && is_left(statement.text)) {
    if (is_simple_) describe_statement(running_->text);
    return complete("SELECT 0");
  }
  if (returns_rows(statement.verb)) {
    if (is_simple_) describe_statement(running_->text);
    encode_row(statement.verb == Verb::Show ? session_.value(statement.name)
                                            : running_->text + "|" + running_->argument + "|" +
                                                  session_.digest() + "|" + running_->reading);
    if (statement.verb != Verb::Show) tag += " 1";
  }
  complete(tag);
}

bool Backend::is_left(std::string_view question) const {
  if (session_.has_state_in(question)) return true;
  const bool asks = question.find("pg_prepared_statements") != question.npos;
  return asks && std::any_of(prepared_.begin(), prepared_.end(), [](const auto& prepared) {
           return !prepared.first.empty() && !prepared.first.starts_with("pgweir_");
         });
}

// Says to whom, so that its reader knows whether that was meant for it.
void Backend::remark(std::string_view severity, std::string_view sqlstate, Mark mark) {
  wire::encode_notice(reply_, {.severity = std::string(severity),
                               .sqlstate = std::string(sqlstate),
                               .message = "a remark on " + to_text(mark)});
}

// The next rows, as many as the socket takes.
void Backend::produce() {
  while (outbox_.empty()) {
    if (std::exchange(is_interrupted_, false)) {
      raise(cancelled());
      return work();
    }
    const Statement& statement = running_->statement;
    if (running_->produced == statement.count) break;
    const std::string text = row_text(statement, statement.mark, running_->produced++);
    if (statement.verb == Verb::CopyOut) {
      wire::FrameWriter(reply_, 'd').text(text + "\n");
    } else {
      encode_row(text);
    }
    if (reply_.size() >= kFlushBytes) flush();
  }
  if (!outbox_.empty()) return;  // on_room leads back here.
  const bool is_copy = running_->statement.verb == Verb::CopyOut;
  if (is_copy) wire::FrameWriter(reply_, 'c');
  complete((is_copy ? "COPY " : "SELECT ") + std::to_string(running_->statement.count));
}

void Backend::complete(const std::string& tag) {
  wire::encode_command_complete(reply_, tag);
  running_.reset();
  is_interrupted_ = false;
  if (!is_simple_) return;
  if (rest_of_text_.empty()) {
    ready();
  } else {
    run_next_of_text();
  }
}

void Backend::raise(const wire::Report& report) {
  wire::encode_error(reply_, report);
  flush();
  session_.fail();
  running_.reset();
  rest_of_text_.clear();
  if (is_simple_) {
    ready();
  } else {
    skips_to_sync_ = true;
  }
}

void Backend::ready() {
  session_.end_batch();
  report_settings();
  wire::encode_ready_for_query(reply_, session_.status());
  is_batch_open_ = false;
  is_simple_ = false;
  if (session_.status() == 'I') {
    portals_.clear();
    if (!session_.has_state()) owner_ = 0;
  }
  flush();
}

void Backend::report_settings() {
  for (auto& [name, told] : told_) {
    if (told == session_.value(name)) continue;
    told = session_.value(name);
    wire::encode_parameter_status(reply_, name, told);
  }
}

void Backend::describe_statement(const std::string& text) {
  const std::vector<Statement> statements = parse_text(text);
  if (statements.empty() || !returns_rows(statements[0].verb)) {
    wire::encode_no_data(reply_);
    return;
  }
  const wire::Column column{.name = "answer"};
  wire::encode_row_description(reply_, {&column, 1});
}

void Backend::encode_row(const std::string& value) {
  const std::optional<std::string_view> column = value;
  wire::encode_data_row(reply_, {&column, 1});
}

void Backend::handle_parse(const wire::ParseMessage& message) {
  is_simple_ = false;
  is_batch_open_ = true;
  session_.begin_statement();
  const std::string name(message.name);
  if (session_.status() == 'E') {
    const std::vector<Statement> statements = parse_text(message.query);
    if (!statements.empty()) {
      if (const auto refusal = objection(statements[0])) return raise(*refusal);
    }
  }
  if (!name.empty() && prepared_.find(name) != prepared_.end()) {
    raise(error(wire::sqlstate::kDuplicatePreparedStatement, "prepared statement already exists"));
    return;
  }
  prepared_[name] = {.text = std::string(message.query), .reading = session_.reading()};
  wire::encode_parse_complete(reply_);
}

void Backend::handle_bind(base::Bytes body) {
  is_simple_ = false;
  is_batch_open_ = true;
  session_.begin_statement();
  base::ByteReader reader(body);
  const std::string portal(reader.c_string());
  const std::string name(reader.c_string());
  const std::size_t format_count = reader.u16();
  reader.take(format_count * 2);
  std::string argument;
  if (reader.u16() != 0) argument = base::as_text(reader.take(reader.u32()));
  if (!reader.is_good()) fail(describe() + ": a malformed Bind");
  const auto prepared = prepared_.find(name);
  if (prepared == prepared_.end()) {
    raise(error(wire::sqlstate::kInvalidSqlStatementName, "prepared statement does not exist"));
    return;
  }
  const std::vector<Statement> statements = parse_text(prepared->second.text);
  if (!statements.empty()) {
    if (session_.status() == 'E') {
      if (const auto refusal = objection(statements[0])) return raise(*refusal);
    }
    note(find_mark(argument));
  }
  Portal& made = portals_[portal];
  made = {.text = prepared->second.text,
          .reading = prepared->second.reading,
          .argument = argument,
          .statement = std::nullopt};
  if (!statements.empty()) made.statement = statements[0];
  wire::encode_bind_complete(reply_);
}

void Backend::handle_describe(const wire::Target& target) {
  is_simple_ = false;
  is_batch_open_ = true;
  const std::string name(target.name);
  const std::string* text = nullptr;
  if (target.kind == 'S') {
    if (const auto at = prepared_.find(name); at != prepared_.end()) text = &at->second.text;
  } else if (const auto at = portals_.find(name); at != portals_.end()) {
    text = &at->second.text;
  }
  if (text == nullptr) {
    raise(error(target.kind == 'S' ? wire::sqlstate::kInvalidSqlStatementName
                                   : wire::sqlstate::kInvalidCursorName,
                "does not exist"));
    return;
  }
  if (target.kind == 'S') {
    const bool has_parameter = text->find("$1") != std::string::npos;
    wire::FrameWriter writer(reply_, 't');
    writer.u16(has_parameter ? 1 : 0);
    if (has_parameter) writer.u32(25);
  }
  describe_statement(*text);
}

void Backend::handle_execute(const wire::ExecuteMessage& message) {
  is_simple_ = false;
  is_batch_open_ = true;
  const auto portal = portals_.find(std::string(message.portal));
  if (portal == portals_.end()) {
    raise(error(wire::sqlstate::kInvalidCursorName, "portal does not exist"));
    return;
  }
  if (!portal->second.statement) {
    wire::encode_empty_query_response(reply_);
    return;
  }
  run(*portal->second.statement, portal->second);
}

void Backend::handle_close(const wire::Target& target) {
  is_simple_ = false;
  is_batch_open_ = true;
  if (target.kind == 'S') {
    prepared_.erase(std::string(target.name));
  } else {
    portals_.erase(std::string(target.name));
  }
  wire::encode_close_complete(reply_);
}

// Gives its one argument back.
void Backend::handle_function_call(base::Bytes body) {
  is_simple_ = true;
  base::ByteReader reader(body);
  reader.u32();
  const std::size_t format_count = reader.u16();
  reader.take(format_count * 2);
  reader.u16();
  const base::Bytes argument = reader.take(reader.u32());
  reader.u16();
  if (!reader.is_complete()) fail(describe() + ": a malformed FunctionCall");
  const Mark mark = find_mark(base::as_text(argument));
  note(mark);
  session_.begin_statement();
  if (session_.status() == 'E') {
    raise(error(wire::sqlstate::kInFailedSqlTransaction, "current transaction is aborted"));
    return;
  }
  host_.ledger().note_executed(mark);
  {
    wire::FrameWriter writer(reply_, 'V');
    writer.u32(static_cast<std::uint32_t>(argument.size()));
    writer.bytes(argument);
  }
  ready();
}

}  // namespace pgweir::sim

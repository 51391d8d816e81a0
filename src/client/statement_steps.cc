#include "client/statement_steps.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "client/cancelling.h"
#include "client/clock.h"
#include "client/statement_refusal.h"

namespace pgweir::client {
namespace {

// For how long nothing may be heard behind a cancel, and how long all of it may take: what was sent
// before it has to be read, and takes its time where the machine is busy.
constexpr base::Duration kCancelMax = std::chrono::seconds(2);
constexpr base::Duration kDrainMax = std::chrono::seconds(10);
// How often to look whether the cancel itself is over.
constexpr base::Duration kCancelLook = std::chrono::milliseconds(2);

constexpr Patience kNoPatience{.deadline = kAtOnce};

}  // namespace

StatementSteps::StatementSteps(Database& database, Server& server, const sql& call,
                               RowCollector* rows)
    : database_(database),
      server_(server),
      where_(call.where()),
      rows_(rows),
      conversation_(server.connection.get()) {
  if (call.timeout()) deadline_ = precise_now() + *call.timeout();
}

void StatementSteps::begin(std::span<const Statement> statements) {
  if (auto refused = refuse_statement(database_, connection(), where_)) {
    return fail(std::move(*refused));
  }
  count_ = statements.size();
  std::copy(statements.begin(), statements.end(), own_.begin());
  for (std::size_t i = 0; rows_ != nullptr && i < count_; ++i) {
    if (statements[i].comes_by_row) by_row_ = i;
  }
  // Or else a transaction would have to be repeated from its begin.
  may_repeat_ = server_.must_roll_back || PQtransactionStatus(connection()) == PQTRANS_IDLE;
  send();
}

void StatementSteps::keep_statements() {
  if (!may_repeat_ || is_over() || !batch_->has_name()) {
    may_repeat_ = false;
    return;
  }
  for (std::size_t i = 0; i < count_; ++i) own_[i] = kept_.emplace_back(own_[i]).statement();
}

void StatementSteps::send() {
  batch_.emplace(server_, std::span(own_.data(), count_), database_.statement_count_max());
  results_.reserve(count_);
  const Waited waited = conversation_.send(batch_->statements(), kNoPatience);
  has_unsent_ = waited == Waited::TimedOut;
  if (waited == Waited::Lost) lose();
}

// It failed for what had been prepared for it, and not for itself.
void StatementSteps::send_again() {
  repeats_ = may_repeat_ = false;
  error_.reset();
  results_.clear();
  if (PQtransactionStatus(connection()) != PQTRANS_IDLE) server_.must_roll_back = true;
  state_ = State::Answering;
  send();
}

void StatementSteps::step() {
  if (is_over()) return;
  if (is_waiting_for_cancel()) return drain_away();
  const bool has_news = is_cancelling() && has_input(connection());
  receive(connection());
  if (has_news) deadline_ = std::min(precise_now() + kCancelMax, drain_until_);
  if (has_unsent_) has_unsent_ = PQflush(connection()) == 1;
  if (state_ == State::Answering) hear();
  const bool is_late = deadline_ != base::kNever && !is_over() && deadline_ <= precise_now();
  if (is_late && !is_cancelling()) give_up(GivenUp::Late);
  if (state_ == State::Draining) drain_away();
}

void StatementSteps::stop() {
  if (!is_over() && !is_cancelling()) give_up(GivenUp::Stopped);
}

short StatementSteps::events() const {
  if (is_over() || is_waiting_for_cancel()) return 0;
  return static_cast<short>(has_unsent_ ? POLLIN | POLLOUT : POLLIN);
}

base::Instant StatementSteps::look_again_at() const {
  if (is_over()) return base::kNever;
  if (is_waiting_for_cancel()) return precise_now() + kCancelLook;
  if (!may_hide_input(connection())) return deadline_;
  return std::min(deadline_, precise_now() + kHiddenInputPeriod);
}

void StatementSteps::hear() {
  while (state_ == State::Answering) {
    Result heard;
    const Waited waited = conversation_.next(heard, kNoPatience);
    if (heard != nullptr) {
      take_in(std::move(heard), waited);
    } else if (waited == Waited::TimedOut) {
      return;
    } else if (waited == Waited::Ready && results_.size() == count_) {
      finish(false);
    } else {
      lose();
    }
  }
}

void StatementSteps::take_in(Result heard, Waited waited) {
  const bool is_lost = waited == Waited::Lost;
  if (has_succeeded(heard.get())) {
    if (is_lost) return lose();
    return place(std::move(heard));
  }
  if (is_copy(heard.get())) {
    // In a pipeline nobody can tell where it ends.
    if (is_lost || PQpipelineStatus(connection()) != PQ_PIPELINE_OFF) return cut(GivenUp::Copy);
    return give_up(GivenUp::Copy);
  }
  error_ = explain_error(heard.get(), where_);
  const Blame blame = batch_->note_failure(conversation_.index(), heard.get());
  if (blame == Blame::Lost) database_.note_lost_statement(where_);
  if (is_lost) return finish(true);
  repeats_ = may_repeat_ && blame != Blame::None;
  state_ = State::Draining;
}

void StatementSteps::place(Result heard) {
  batch_->note_success(conversation_.index());
  const std::optional<std::size_t> own = batch_->own_index(conversation_.index());
  if (!own) return;
  const std::size_t index = *own;
  const bool is_new = index == results_.size();
  if (by_row_ != index) {
    if (is_new) results_.push_back(std::move(heard));
    return;
  }
  if (is_new) results_.emplace_back();
  rows_->add(std::move(heard));
  // Nobody could tell the outcome of a statement behind it.
  if (rows_->is_too_large() && index + 1 == count_) give_up(std::nullopt);
}

void StatementSteps::give_up(std::optional<GivenUp> why) {
  end_ = why;
  error_.reset();
  repeats_ = false;
  state_ = State::Draining;
  cancel_over_ = std::make_shared<std::atomic<bool>>(false);
  deadline_ = precise_now() + kCancelMax;
  drain_until_ = precise_now() + kDrainMax;
  cancel(database_.blocking_work(), connection(), [over = cancel_over_] { *over = true; });
}

// A cancel that is on its way might hit the next statement. Nothing is read until it has arrived:
// that would only make the server send more.
bool StatementSteps::is_waiting_for_cancel() const { return is_cancelling() && !*cancel_over_; }

void StatementSteps::drain_away() {
  const bool is_too_late = is_cancelling() && deadline_ <= precise_now();
  if (is_waiting_for_cancel()) {
    if (is_too_late) cut(end_);
    return;
  }
  switch (drain(connection(), kNoPatience)) {
    case Waited::Ready: return finish(false);
    case Waited::TimedOut:
    case Waited::Stopped: break;
    case Waited::Lost: return cut(end_);
  }
  if (is_too_late) cut(end_);
}

void StatementSteps::fail(error_info info) {
  error_ = std::move(info);
  state_ = State::Over;
}

void StatementSteps::lose() {
  error_info info = explain_loss(connection(), where_);
  cut_off(connection());
  fail(std::move(info));
}

void StatementSteps::cut(std::optional<GivenUp> why) {
  end_ = why;
  cut_off(connection());
  finish(true);
}

void StatementSteps::finish(bool is_connection_lost) {
  if (batch_) batch_->note_end(!is_connection_lost && !is_cancelling());
  if (repeats_ && !is_connection_lost) return send_again();
  state_ = State::Over;
  if (!error_ && (is_cancelling() || is_connection_lost)) error_ = explain(is_connection_lost);
  if (error_) error_->is_connection_lost = is_connection_lost;
}

// Why it was not brought to its end.
error_info StatementSteps::explain(bool is_connection_lost) const {
  if (end_) {
    const bool is_closed = *end_ == GivenUp::Stopped && database_.is_aborted();
    return explain_given_up(is_closed ? GivenUp::Closed : *end_, is_connection_lost, where_);
  }
  return rows_->explain(
      is_connection_lost ? "the connection was cut" : "PostgreSQL was told to give it up", where_);
}

result<std::vector<Result>> StatementSteps::take() {
  if (error_) return std::move(*error_);
  return std::move(results_);
}

}  // namespace pgweir::client

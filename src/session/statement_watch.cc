#include "session/statement_watch.h"

#include <utility>

#include "session/watched_names.h"

namespace pgweir::session {

namespace {

// Of what is looked for: most names and words of most statements end here.
constexpr std::size_t kNameBytesMin = 7;
constexpr std::size_t kWordBytesMin = 4;
constexpr std::size_t kWordBytesMax = 9;

}  // namespace

void StatementWatch::handle_token(TokenKind kind, std::string_view folded) {
  if (call_.is_open()) follow_call(kind, folded);
  const bool is_name = kind == TokenKind::Word || kind == TokenKind::QuotedName;
  if (is_name && folded.size() >= kNameBytesMin) handle_name(folded);
  // Its escapes are not read: it may be any of the names that are watched.
  if (kind == TokenKind::UnicodeName) pin(PinReason::NotUnderstood);
  if (kind == TokenKind::Word) {
    handle_word(folded);
  } else {
    before_ = Before::Other;
  }
}

void StatementWatch::follow_call(TokenKind kind, std::string_view folded) {
  call_.handle_token(kind, folded);
  if (call_.is_open()) return;
  if (call_.pin_reason()) pin(*call_.pin_reason());
  if (call_.taint_reason()) taint(*call_.taint_reason());
  reads_otherwise_ = reads_otherwise_ || call_.reads_otherwise();
}

void StatementWatch::handle_name(std::string_view name) {
  if (name == "set_config") {
    if (call_.is_open()) pin(PinReason::NotUnderstood);  // One inside another is not followed.
    call_.begin();
    return;
  }
  // A rule of the view turns UPDATE into set_config(…, false).
  if (has_update_ && name == "pg_settings") pin(PinReason::NotUnderstood);
  if (const auto reason = reason_to_watch(name)) pin(*reason);
  if (may_leave_no_lock(name)) leaves_locks_in_doubt_ = true;
}

// CREATE [OR REPLACE] [LOCAL | GLOBAL] TEMP, SELECT … INTO TEMP, wherever EXPLAIN or WITH put them.
void StatementWatch::handle_word(std::string_view word) {
  const Before before = std::exchange(before_, Before::Other);
  if (verb_ == Verb::None) verb_ = verb_of(word);
  if (word.size() < kWordBytesMin || word.size() > kWordBytesMax) return;
  if (before == Before::TemporaryMayFollow && (word == "temp" || word == "temporary")) {
    pin(PinReason::TemporaryObject);
  } else if (word == "create" || word == "replace" || word == "local" || word == "global") {
    before_ = Before::TemporaryMayFollow;
  } else if (word == "into" && verb_ != Verb::Insert) {
    // SELECT … INTO creates a table, and a temporary one if search_path leads there. INSERT INTO
    // may also stand behind WITH or EXPLAIN.
    if (verb_ == Verb::Select || before != Before::Insert) taint(PinReason::TemporaryObject);
    before_ = Before::TemporaryMayFollow;
  } else if (word == "insert" || word == "merge") {
    before_ = Before::Insert;
  } else if (word == "begin") {
    before_ = Before::Begin;
  } else if (word == "atomic" && before == Before::Begin) {
    has_atomic_body_ = true;
  } else if (word == "update") {
    has_update_ = true;
  }
}

StatementWatch::Verb StatementWatch::verb_of(std::string_view word) {
  if (word == "select") return Verb::Select;
  return word == "insert" || word == "merge" ? Verb::Insert : Verb::Other;
}

void StatementWatch::pin(PinReason reason) {
  pin_reason_ = pin_reason_ ? combine(*pin_reason_, reason) : reason;
}

void StatementWatch::taint(PinReason reason) {
  const bool is_other = taint_reason_ && *taint_reason_ != reason;
  taint_reason_ = is_other ? PinReason::NotUnderstood : reason;
}

}  // namespace pgweir::session

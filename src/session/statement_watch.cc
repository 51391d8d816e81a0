#include "session/statement_watch.h"

#include <algorithm>
#include <array>

namespace pgweir::session {

namespace {

struct WatchedFunction {
  std::string_view name;
  PinReason reason;
};

// Whatever is called by these names does something to its session that outlives the transaction.
// All begin with d, p or s (see may_be_watched).
constexpr std::array kWatchedFunctions = {
    WatchedFunction{"pg_advisory_lock", PinReason::AdvisoryLock},
    WatchedFunction{"pg_advisory_lock_shared", PinReason::AdvisoryLock},
    WatchedFunction{"pg_try_advisory_lock", PinReason::AdvisoryLock},
    WatchedFunction{"pg_try_advisory_lock_shared", PinReason::AdvisoryLock},
    WatchedFunction{"set_limit", PinReason::SetConfig},  // Of pg_trgm.
    WatchedFunction{"setseed", PinReason::RandomSeed},
    WatchedFunction{"dblink_connect", PinReason::RemoteConnection},
    WatchedFunction{"dblink_connect_u", PinReason::RemoteConnection},
    WatchedFunction{"pg_backup_start", PinReason::SessionBoundFunction},
    WatchedFunction{"pg_start_backup", PinReason::SessionBoundFunction},
    WatchedFunction{"pg_create_logical_replication_slot", PinReason::SessionBoundFunction},
    WatchedFunction{"pg_create_physical_replication_slot", PinReason::SessionBoundFunction},
    WatchedFunction{"pg_copy_logical_replication_slot", PinReason::SessionBoundFunction},
    WatchedFunction{"pg_copy_physical_replication_slot", PinReason::SessionBoundFunction},
    WatchedFunction{"pg_replication_origin_session_setup", PinReason::SessionBoundFunction},
};

constexpr std::size_t kWatchedBytesMin = 7;

// Most names of most statements end here.
bool may_be_watched(std::string_view name) {
  return name.size() >= kWatchedBytesMin &&
         (name.front() == 'p' || name.front() == 's' || name.front() == 'd');
}

// pg_temp is this session's schema of temporary objects; pg_temp_3 may be.
bool is_temporary_schema(std::string_view name) {
  if (!name.starts_with("pg_temp")) return false;
  name.remove_prefix(kWatchedBytesMin);
  if (name.empty()) return true;
  return name.front() == '_' && name.find_first_not_of("0123456789", 1) == name.npos;
}

}  // namespace

void StatementWatch::handle_token(TokenKind kind, std::string_view folded) {
  if (call_ != Call::None) follow_set_config(kind, folded);
  const bool is_name = kind == TokenKind::Word || kind == TokenKind::QuotedName;
  if (is_name && may_be_watched(folded)) handle_name(folded);
  // Its escapes are not read: it may be any of the names above.
  if (kind == TokenKind::UnicodeName) add(PinReason::NotUnderstood);
  if (kind == TokenKind::Word) {
    handle_word(folded);
  } else {
    before_ = Before::Other;
  }
}

void StatementWatch::handle_name(std::string_view name) {
  if (name == "set_config") {
    if (call_ != Call::None) add(PinReason::SetConfig);  // One inside another is not followed.
    call_ = Call::Name;
    return;
  }
  if (is_temporary_schema(name)) add(PinReason::TemporaryObject);
  const auto* const found = std::find_if(kWatchedFunctions.begin(), kWatchedFunctions.end(),
                                         [&](const auto& watched) { return watched.name == name; });
  if (found != kWatchedFunctions.end()) add(found->reason);
}

// CREATE [OR REPLACE] [LOCAL | GLOBAL] TEMP, SELECT … INTO TEMP, wherever EXPLAIN or WITH put them.
void StatementWatch::handle_word(std::string_view word) {
  if (is_first_) is_insert_ = word == "insert" || word == "merge";
  is_first_ = false;
  if (before_ == Before::TemporaryMayFollow && (word == "temp" || word == "temporary")) {
    add(PinReason::TemporaryObject);
  }
  if (before_ == Before::Begin && word == "atomic") has_atomic_body_ = true;
  before_ = Before::Other;
  if (word == "begin") before_ = Before::Begin;
  if (word == "create" || word == "replace" || word == "local" || word == "global" ||
      (word == "into" && !is_insert_)) {
    before_ = Before::TemporaryMayFollow;
  }
}

void StatementWatch::follow_set_config(TokenKind kind, std::string_view folded) {
  if (call_ == Call::Arguments) {
    handle_argument(kind, folded);
    return;
  }
  if (kind != TokenKind::Symbol || folded != "(") {
    add(PinReason::SetConfig);
    call_ = Call::None;
    return;
  }
  call_ = Call::Arguments;
  depth_ = 1;
  argument_ = 0;
  argument_tokens_ = 0;
  argument_is_true_ = false;
}

void StatementWatch::handle_argument(TokenKind kind, std::string_view folded) {
  const char symbol = kind == TokenKind::Symbol ? folded.front() : '\0';
  if (symbol == '(') ++depth_;
  if (symbol == ')') --depth_;
  if (depth_ == 0) {
    const bool is_local = argument_ == 2 && argument_tokens_ == 1 && argument_is_true_;
    if (!is_local) add(PinReason::SetConfig);
    call_ = Call::None;
    return;
  }
  if (symbol == ',' && depth_ == 1) {
    ++argument_;
    argument_tokens_ = 0;
    return;
  }
  ++argument_tokens_;
  argument_is_true_ = kind == TokenKind::Word && folded == "true";
}

void StatementWatch::add(PinReason reason) {
  reason_ = reason_ ? combine(*reason_, reason) : reason;
}

std::optional<PinReason> StatementWatch::reason() const { return reason_; }

}  // namespace pgweir::session

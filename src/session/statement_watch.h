// Watches the tokens of one statement for what changes a session wherever it stands: names such as
// pg_advisory_lock and set_config, TEMP after CREATE or INTO, UPDATE pg_settings. It cannot see
// into strings, DO blocks or functions that the statement calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "session/pin_reason.h"
#include "session/set_config_call.h"
#include "session/statement_head.h"

namespace pgweir::session {

class StatementWatch {
 public:
  // At the beginning of each statement.
  void reset() { *this = StatementWatch{}; }

  // folded: a name in lower case, without quotes, at most StatementHead::kTokenBytesMax bytes of
  // it; or the symbol; or what a string holds, if reads_strings(). Not looked at for other kinds.
  void handle_token(TokenKind kind, std::string_view folded);
  bool reads_strings() const { return call_.is_open(); }

  // Why the statement pins its client, and what it may leave on its server without that
  // (EffectKind::Taint). Valid once all its tokens were handled.
  std::optional<PinReason> pin_reason() const { return pin_reason_; }
  std::optional<PinReason> taint_reason() const { return taint_reason_; }
  // Whether it changes what literals mean, while the transaction lasts (EffectKind::ReadOtherwise).
  bool reads_otherwise() const { return reads_otherwise_; }

  // Whether it may take session locks or not, or give back some of them.
  bool leaves_locks_in_doubt() const { return leaves_locks_in_doubt_; }

  // The body of BEGIN ATOMIC holds semicolons that end nothing: where the statement ends is
  // unknown.
  bool has_atomic_body() const { return has_atomic_body_; }

 private:
  enum class Verb : std::uint8_t { None, Select, Insert, Other };
  enum class Before : std::uint8_t { Other, TemporaryMayFollow, Begin, Insert };

  void follow_call(TokenKind kind, std::string_view folded);
  void handle_name(std::string_view name);
  void handle_word(std::string_view word);
  static Verb verb_of(std::string_view word);
  void pin(PinReason reason);
  void taint(PinReason reason);

  std::optional<PinReason> pin_reason_;
  std::optional<PinReason> taint_reason_;
  bool reads_otherwise_ = false;
  Verb verb_ = Verb::None;  // The first word.
  Before before_ = Before::Other;
  bool has_atomic_body_ = false;
  bool leaves_locks_in_doubt_ = false;
  bool has_update_ = false;
  SetConfigCall call_;
};

}  // namespace pgweir::session

// Watches the tokens of one statement for what changes a session wherever it stands: calls such as
// set_config(…) and pg_advisory_lock(…), and TEMP after CREATE or INTO. It cannot see into strings,
// DO blocks or functions that the statement calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "session/pin_reason.h"
#include "session/statement_head.h"

namespace pgweir::session {

class StatementWatch {
 public:
  // At the beginning of each statement.
  void reset() { *this = StatementWatch{}; }

  // folded: a name in lower case, without quotes, at most StatementHead::kTokenBytesMax bytes of
  // it; or the symbol. Not looked at for other kinds.
  void handle_token(TokenKind kind, std::string_view folded);

  // Why the statement pins its client, if it does. Valid once all its tokens were handled.
  std::optional<PinReason> reason() const;

  // The body of BEGIN ATOMIC holds semicolons that end nothing: where the statement ends is
  // unknown.
  bool has_atomic_body() const { return has_atomic_body_; }

 private:
  enum class Before : std::uint8_t { Other, TemporaryMayFollow, Begin };
  enum class Call : std::uint8_t { None, Name, Arguments };

  void handle_name(std::string_view name);
  void handle_word(std::string_view word);
  void follow_set_config(TokenKind kind, std::string_view folded);
  void handle_argument(TokenKind kind, std::string_view folded);
  void add(PinReason reason);

  std::optional<PinReason> reason_;
  bool has_atomic_body_ = false;
  bool is_first_ = true;
  bool is_insert_ = false;  // INSERT INTO temp writes to a table of that name.
  Before before_ = Before::Other;

  // The call of set_config being read: local, and so harmless, if its third argument is `true`.
  Call call_ = Call::None;
  std::uint32_t depth_ = 0;  // Of parentheses inside the call, 1 for its own.
  std::uint32_t argument_ = 0;
  std::uint32_t argument_tokens_ = 0;
  bool argument_is_true_ = false;
};

}  // namespace pgweir::session

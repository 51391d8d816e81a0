// Follows one call of set_config(name, value, is_local) through the tokens of its statement, and
// says what it leaves behind. Local ones leave nothing, with three exceptions: the parameter `seed`
// is no variable that could be put back; what is created under a search_path outlives it; and what
// is parsed while one that decides the meaning of literals (reading.h) is changed keeps that
// meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "session/pin_reason.h"
#include "session/statement_head.h"

namespace pgweir::session {

class SetConfigCall {
 public:
  // The name of the function was read.
  void begin();
  bool is_open() const { return state_ != State::Over; }
  // folded: as StatementWatch gets it, and the content of strings. REQUIRES: is_open().
  void handle_token(TokenKind kind, std::string_view folded);

  // Once the call is over: why it pins its client, or what it may have done to its server.
  std::optional<PinReason> pin_reason() const { return pin_reason_; }
  std::optional<PinReason> taint_reason() const { return taint_reason_; }
  bool reads_otherwise() const { return reads_otherwise_; }

 private:
  enum class State : std::uint8_t { Over, Name, Arguments };
  enum class Parameter : std::uint8_t {
    Unknown,
    Seed,
    Role,  // This and the next: RESET ALL leaves them.
    SessionAuthorization,
    SearchPath,
    Reading,
    Other
  };

  void handle_argument(TokenKind kind, std::string_view folded);
  static Parameter parameter_of(std::string_view name);
  void note_argument(TokenKind kind, std::string_view folded);
  void finish();

  State state_ = State::Over;
  std::uint32_t depth_ = 0;     // Of parentheses inside the call, 1 for its own.
  std::uint32_t argument_ = 0;  // Which one is being read …
  std::uint32_t tokens_ = 0;    // … and how many tokens of it there were.
  Parameter parameter_ = Parameter::Unknown;
  bool is_temporary_ = false;  // The value names pg_temp.
  bool is_true_ = false;       // The last token of the argument was `true`.
  std::optional<PinReason> pin_reason_;
  std::optional<PinReason> taint_reason_;
  bool reads_otherwise_ = false;
};

}  // namespace pgweir::session

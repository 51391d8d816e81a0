#include "session/set_config_call.h"

#include "base/assert.h"
#include "session/reading.h"

namespace pgweir::session {

void SetConfigCall::begin() {
  *this = SetConfigCall{};
  state_ = State::Name;
}

void SetConfigCall::handle_token(TokenKind kind, std::string_view folded) {
  ASSERT(is_open());
  if (state_ == State::Arguments) {
    handle_argument(kind, folded);
    return;
  }
  if (kind == TokenKind::Symbol && folded == "(") {
    state_ = State::Arguments;
    depth_ = 1;
    return;
  }
  pin_reason_ = PinReason::SetConfig;
  state_ = State::Over;
}

void SetConfigCall::handle_argument(TokenKind kind, std::string_view folded) {
  const char symbol = kind == TokenKind::Symbol ? folded.front() : '\0';
  if (symbol == '(') ++depth_;
  if (symbol == ')') --depth_;
  if (depth_ == 0) {
    finish();
    return;
  }
  if (symbol == ',' && depth_ == 1) {
    ++argument_;
    tokens_ = 0;
    return;
  }
  ++tokens_;
  note_argument(kind, folded);
}

void SetConfigCall::note_argument(TokenKind kind, std::string_view folded) {
  const bool is_plain_string =
      kind == TokenKind::String && tokens_ == 1 && folded.find('\\') == folded.npos;
  if (argument_ == 0) {
    parameter_ = Parameter::Unknown;
    if (!is_plain_string) return;
    parameter_ = parameter_of(folded);
  } else if (argument_ == 1) {
    is_temporary_ = is_temporary_ || folded.find("pg_temp") != folded.npos;
  } else {
    is_true_ = kind == TokenKind::Word && folded == "true";
  }
}

SetConfigCall::Parameter SetConfigCall::parameter_of(std::string_view name) {
  if (name == "seed") return Parameter::Seed;
  if (name == "role") return Parameter::Role;
  if (name == "session_authorization") return Parameter::SessionAuthorization;
  if (name == "search_path") return Parameter::SearchPath;
  return decides_reading(name) ? Parameter::Reading : Parameter::Other;
}

void SetConfigCall::finish() {
  state_ = State::Over;
  const bool is_local = argument_ == 2 && tokens_ == 1 && is_true_;
  switch (parameter_) {
    case Parameter::Seed: pin_reason_ = PinReason::RandomSeed; return;
    case Parameter::Unknown:
      if (is_local) {
        taint_reason_ = PinReason::RandomSeed;
      } else {
        pin_reason_ = PinReason::NotUnderstood;
      }
      return;
    case Parameter::Role:
      if (!is_local) pin_reason_ = PinReason::SetRole;
      return;
    case Parameter::SessionAuthorization:
      if (!is_local) pin_reason_ = PinReason::SessionAuthorization;
      return;
    case Parameter::SearchPath:
      if (!is_local) pin_reason_ = PinReason::SetConfig;
      // What is computed is caught by CREATE (statement_effect.cc).
      if (is_temporary_) pin_reason_ = PinReason::TemporarySchema;
      return;
    case Parameter::Reading:
      reads_otherwise_ = is_local;
      if (!is_local) pin_reason_ = PinReason::SetConfig;
      return;
    case Parameter::Other:
      if (!is_local) pin_reason_ = PinReason::SetConfig;
      return;
  }
}

}  // namespace pgweir::session

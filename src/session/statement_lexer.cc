#include "session/statement_lexer.h"

#include <algorithm>

#include "session/ascii_case.h"
#include "session/byte_class.h"
#include "session/cutting.h"

namespace pgweir::session {

void StatementLexer::reset(bool standard_conforming_strings) {
  standard_conforming_strings_ = standard_conforming_strings;
  is_lost_ = false;
  is_ended_ = false;
  state_ = State::Between;
  continuation_ = Continuation::None;
  parentheses_ = 0;
  statement_.clear();
  watch_.reset();
}

bool StatementLexer::scan(std::string_view& part) {
  while (!part.empty() && !is_lost_) {
    if (step(part)) return true;
  }
  part = {};
  return false;
}

bool StatementLexer::finish() {
  // A blank ends whatever word, number or symbol is still open. What is not ended by it (a string,
  // a comment) is a syntax error, or nothing.
  std::string_view blank = " ";
  scan(blank);
  return !is_lost_ && !is_ended_ && end_statement();
}

bool StatementLexer::step(std::string_view& part) {
  switch (state_) {
    case State::Between: return step_between(part);
    case State::Word: step_word(part); break;
    case State::UnicodePrefix: step_unicode_prefix(part); break;
    case State::Number: step_number(part); break;
    case State::Exponent: step_exponent(part); break;
    case State::Digits: step_digits(part); break;
    case State::Minus: step_minus(part); break;
    case State::Slash: step_slash(part); break;
    case State::Dollar: step_dollar(part); break;
    case State::DollarTag: step_dollar_tag(part); break;
    case State::DollarBody: step_dollar_body(part); break;
    case State::String: step_string(part); break;
    case State::StringEscape: step_string_escape(part); break;
    case State::StringQuote: step_string_quote(part); break;
    case State::QuotedName: step_quoted_name(part); break;
    case State::QuotedNameQuote: step_quoted_name_quote(part); break;
    case State::LineComment: step_line_comment(part); break;
    case State::BlockComment: step_block_comment(part); break;
  }
  return false;
}

bool StatementLexer::step_between(std::string_view& part) {
  const char c = part.front();
  switch (class_of(c)) {
    case ByteClass::Space: part.remove_prefix(1); return false;
    case ByteClass::Newline:
      part.remove_prefix(1);
      if (continuation_ == Continuation::Possible) continuation_ = Continuation::AfterNewline;
      return false;
    case ByteClass::Letter:
      begin_token(TokenKind::Word);
      state_ = State::Word;
      return false;
    case ByteClass::Digit:
      begin_token(TokenKind::Number);
      state_ = State::Number;
      return false;
    case ByteClass::Symbol: break;
  }
  part.remove_prefix(1);
  switch (c) {
    case '\'': begin_plain_string(); return false;
    case '"':
      begin_token(TokenKind::QuotedName);
      append("\"");
      state_ = State::QuotedName;
      return false;
    case '-': state_ = State::Minus; return false;
    case '/': state_ = State::Slash; return false;
    case '$': state_ = State::Dollar; return false;
    // Inside parentheses (CREATE RULE … DO (a; b)) it separates parts of one statement.
    case ';': return parentheses_ == 0 ? end_statement() : (handle_symbol(c), false);
    default: handle_symbol(c); return false;
  }
}

void StatementLexer::step_word(std::string_view& part) {
  append(take_while(part, is_word_byte));
  if (!part.empty()) end_word(part);
}

// A word of one letter may be the beginning of a string: E'…', B'…', X'…', N'…', U&'…', U&"…".
void StatementLexer::end_word(std::string_view& part) {
  const char letter = folded_bytes_ == 1 ? folded_[0] : '\0';
  if (letter == 'u' && part.front() == '&') {
    part.remove_prefix(1);
    state_ = State::UnicodePrefix;
    return;
  }
  const bool is_prefix = letter == 'e' || letter == 'b' || letter == 'x' || letter == 'n';
  if (is_prefix && part.front() == '\'') {
    part.remove_prefix(1);
    retype(letter == 'e' ? TokenKind::EscapeString : TokenKind::OtherString);
    begin_string(kind_, letter == 'e' || (letter == 'n' && !standard_conforming_strings_));
    return;
  }
  end_token();
  state_ = State::Between;
}

void StatementLexer::step_unicode_prefix(std::string_view& part) {
  if (part.front() == '\'') {
    part.remove_prefix(1);
    retype(TokenKind::OtherString);
    begin_string(kind_, false);
  } else if (part.front() == '"') {
    part.remove_prefix(1);
    retype(TokenKind::UnicodeName);
    state_ = State::QuotedName;
  } else {
    end_token();
    handle_symbol('&');
    state_ = State::Between;
  }
}

void StatementLexer::step_number(std::string_view& part) {
  append(take_while(part, [](char c) { return is_digit(c) || c == '.'; }));
  if (part.empty()) return;
  if (part.front() == 'e' || part.front() == 'E') {
    part.remove_prefix(1);
    state_ = State::Exponent;
    return;
  }
  end_token();
  state_ = State::Between;
}

// Letters end a number: before PostgreSQL 15, `1e'x'` was 1 and then E'x', and `1e5e'x'` was 1e5
// and then E'x'.
void StatementLexer::step_exponent(std::string_view& part) {
  if (is_digit(part.front())) {
    append("e");
    state_ = State::Digits;
    return;
  }
  end_token();
  begin_token(TokenKind::Word);
  append("e");
  state_ = State::Word;
}

void StatementLexer::step_digits(std::string_view& part) {
  append(take_while(part, is_digit));
  if (part.empty()) return;
  end_token();
  state_ = State::Between;
}

void StatementLexer::step_minus(std::string_view& part) {
  if (part.front() == '-') {
    part.remove_prefix(1);
    state_ = State::LineComment;
    return;
  }
  handle_symbol('-');
  state_ = State::Between;
}

void StatementLexer::step_slash(std::string_view& part) {
  if (part.front() != '*') {
    handle_symbol('/');
    state_ = State::Between;
    return;
  }
  part.remove_prefix(1);
  // Unlike the other kind of comment, this one ends a continued string.
  continuation_ = Continuation::None;
  comment_depth_ = 1;
  comment_before_ = '\0';
  state_ = State::BlockComment;
}

void StatementLexer::step_dollar(std::string_view& part) {
  if (part.front() == '$' || class_of(part.front()) == ByteClass::Letter) {
    tag_bytes_ = 0;
    state_ = State::DollarTag;
    return;
  }
  handle_symbol('$');
  state_ = State::Between;
  if (!is_digit(part.front())) return;
  begin_token(TokenKind::Number);  // Of a parameter: it has no exponent.
  state_ = State::Digits;
}

void StatementLexer::step_dollar_tag(std::string_view& part) {
  const std::string_view bytes = take_while(part, is_tag_byte);
  if (bytes.size() > tag_.size() - tag_bytes_) {
    is_lost_ = true;
    return;
  }
  std::copy(bytes.begin(), bytes.end(), tag_.begin() + static_cast<std::ptrdiff_t>(tag_bytes_));
  tag_bytes_ += bytes.size();
  if (part.empty()) return;
  if (part.front() != '$') {
    handle_symbol('$');  // A syntax error.
    state_ = State::Between;
    return;
  }
  part.remove_prefix(1);
  begin_token(TokenKind::OtherString);
  tag_may_end_ = false;
  state_ = State::DollarBody;
}

// A dollar that does not end the body may begin the tag that does: `$a$ … $b$a$`.
void StatementLexer::step_dollar_body(std::string_view& part) {
  if (!tag_may_end_) take_until(part, '$');
  if (part.empty()) return;
  const char c = take(part);
  if (c == '$' && tag_may_end_ && tag_matched_ == tag_bytes_) {
    end_token();
    state_ = State::Between;
  } else if (c == '$') {
    tag_may_end_ = true;
    tag_matched_ = 0;
  } else {
    tag_may_end_ = tag_matched_ < tag_bytes_ && c == tag_[tag_matched_];
    ++tag_matched_;
  }
}

void StatementLexer::step_string(std::string_view& part) {
  const std::string_view bytes =
      string_has_escapes_ ? take_while(part, [](char c) { return c != '\'' && c != '\\'; })
                          : take_until(part, '\'');
  append(bytes);
  if (part.empty()) return;
  const char c = take(part);
  append(c == '\'' ? "'" : "\\");
  state_ = c == '\'' ? State::StringQuote : State::StringEscape;
}

void StatementLexer::step_string_escape(std::string_view& part) {
  append(part.substr(0, 1));
  part.remove_prefix(1);
  state_ = State::String;
}

void StatementLexer::step_string_quote(std::string_view& part) {
  if (part.front() == '\'') {
    part.remove_prefix(1);
    append("'");
    state_ = State::String;
    return;
  }
  end_token();
  continuation_ = Continuation::Possible;
  state_ = State::Between;
}

void StatementLexer::step_quoted_name(std::string_view& part) {
  append(take_until(part, '"'));
  if (part.empty()) return;
  part.remove_prefix(1);
  append("\"");
  state_ = State::QuotedNameQuote;
}

void StatementLexer::step_quoted_name_quote(std::string_view& part) {
  if (part.front() == '"') {
    part.remove_prefix(1);
    append("\"");
    state_ = State::QuotedName;
    return;
  }
  end_token();
  state_ = State::Between;
}

void StatementLexer::step_line_comment(std::string_view& part) {
  take_while(part, [](char c) { return class_of(c) != ByteClass::Newline; });
  if (!part.empty()) state_ = State::Between;
}

void StatementLexer::step_block_comment(std::string_view& part) {
  const char c = take(part);
  if (comment_before_ == '*' && c == '/') {
    comment_before_ = '\0';
    if (--comment_depth_ == 0) state_ = State::Between;
  } else if (comment_before_ == '/' && c == '*') {
    comment_before_ = '\0';
    ++comment_depth_;
  } else {
    comment_before_ = c;
  }
}

void StatementLexer::begin_token(TokenKind kind) {
  if (is_ended_) {
    statement_.clear();
    watch_.reset();
    is_ended_ = false;
  }
  continuation_ = Continuation::None;
  kind_ = kind;
  folded_bytes_ = 0;
  statement_.begin_token(kind);
}

void StatementLexer::append(std::string_view bytes) {
  statement_.append(bytes);
  const bool is_name = kind_ == TokenKind::Word || kind_ == TokenKind::QuotedName;
  if (!is_name && !watch_.reads_strings()) return;
  const std::size_t taken = std::min(bytes.size(), folded_.size() - folded_bytes_);
  for (std::size_t i = 0; i < taken; ++i) folded_[folded_bytes_ + i] = fold(bytes[i]);
  folded_bytes_ += taken;
}

void StatementLexer::retype(TokenKind kind) {
  kind_ = kind;
  statement_.retype(kind);
}

void StatementLexer::end_token() {
  std::string_view folded(folded_.data(), folded_bytes_);
  if ((kind_ == TokenKind::QuotedName || kind_ == TokenKind::String) && folded.size() >= 2) {
    folded = folded.substr(1, folded.size() - 2);
  }
  statement_.end_token();
  watch_.handle_token(kind_, folded);
  if (watch_.has_atomic_body()) is_lost_ = true;
}

void StatementLexer::handle_symbol(char symbol) {
  begin_token(TokenKind::Symbol);
  statement_.append({&symbol, 1});
  statement_.end_token();
  watch_.handle_token(TokenKind::Symbol, {&symbol, 1});
  if (symbol == '(') ++parentheses_;
  if (symbol == ')' && parentheses_ > 0) --parentheses_;
}

// The prefix, if any, was appended as a word.
void StatementLexer::begin_string(TokenKind kind, bool has_escapes) {
  append("'");
  string_kind_ = kind;
  string_has_escapes_ = has_escapes;
  state_ = State::String;
}

void StatementLexer::begin_plain_string() {
  if (continuation_ == Continuation::AfterNewline) {
    begin_token(string_kind_);
    begin_string(string_kind_, string_has_escapes_);
    return;
  }
  begin_token(TokenKind::String);
  begin_string(TokenKind::String, !standard_conforming_strings_);
}

bool StatementLexer::end_statement() {
  if (is_ended_ || statement_.is_empty()) return false;
  is_ended_ = true;
  parentheses_ = 0;
  continuation_ = Continuation::None;
  return true;
}

}  // namespace pgweir::session

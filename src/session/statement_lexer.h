// Cuts the SQL text of a Query or Parse message into statements and their first tokens, in pieces
// as they arrive, without allocating. It reads quotes, comments and parentheses exactly as
// PostgreSQL does and no grammar at all. Source of truth: src/backend/parser/scan.l of PostgreSQL
// 14 to 18.
//
// A text that PostgreSQL refuses to parse may be cut anywhere: nothing of it is executed. Bytes
// below 0x80 must be ASCII (client_encoding.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "session/statement_head.h"
#include "session/statement_watch.h"

namespace pgweir::session {

// About 2 KiB: keep one while a text is arriving, not one for each client at rest.
class StatementLexer {
 public:
  // Begins a new text. standard_conforming_strings: the value on the server that will read it.
  void reset(bool standard_conforming_strings);

  // Reads from `part` until a statement ends, and takes what was read off it. True if a statement
  // that is not empty ended: it can be read until the next call. False: `part` is used up.
  bool scan(std::string_view& part);

  // The text is over. True if its last statement ended only now (it had no semicolon).
  bool finish();

  const StatementHead& statement() const { return statement_; }
  const StatementWatch& watch() const { return watch_; }

  // True if the end of some statement cannot be known (BEGIN ATOMIC, a huge dollar tag): what was
  // reported before stands, nothing more will be.
  bool is_lost() const { return is_lost_; }

 private:
  enum class State : std::uint8_t {
    Between,
    Word,
    UnicodePrefix,  // After u&, which may begin a string or a name.
    Number,
    Exponent,  // After 1e, which is a number and a word if no digit follows.
    Digits,    // Of an exponent or a parameter.
    Minus,
    Slash,
    Dollar,
    DollarTag,
    DollarBody,
    String,
    StringEscape,
    StringQuote,  // After a quote that ends the string, unless another follows.
    QuotedName,
    QuotedNameQuote,
    LineComment,
    BlockComment
  };
  // 'a' <newline> 'b' is one string, read throughout as its beginning says.
  enum class Continuation : std::uint8_t { None, Possible, AfterNewline };

  bool step(std::string_view& part);
  bool step_between(std::string_view& part);
  void step_word(std::string_view& part);
  void end_word(std::string_view& part);
  void step_unicode_prefix(std::string_view& part);
  void step_number(std::string_view& part);
  void step_exponent(std::string_view& part);
  void step_digits(std::string_view& part);
  void step_minus(std::string_view& part);
  void step_slash(std::string_view& part);
  void step_dollar(std::string_view& part);
  void step_dollar_tag(std::string_view& part);
  void step_dollar_body(std::string_view& part);
  void step_string(std::string_view& part);
  void step_string_escape(std::string_view& part);
  void step_string_quote(std::string_view& part);
  void step_quoted_name(std::string_view& part);
  void step_quoted_name_quote(std::string_view& part);
  void step_line_comment(std::string_view& part);
  void step_block_comment(std::string_view& part);

  void begin_token(TokenKind kind);
  void append(std::string_view bytes);
  void end_token();
  void retype(TokenKind kind);
  void handle_symbol(char symbol);
  void begin_string(TokenKind kind, bool has_escapes);
  void begin_plain_string();
  bool end_statement();

  bool standard_conforming_strings_ = true;
  bool is_lost_ = false;
  bool is_ended_ = false;  // `statement_` was reported: the next token begins another.
  State state_ = State::Between;
  Continuation continuation_ = Continuation::None;
  bool string_has_escapes_ = false;
  TokenKind kind_ = TokenKind::Symbol;         // Of the token begun last.
  TokenKind string_kind_ = TokenKind::String;  // Of the string read last.
  std::uint32_t parentheses_ = 0;
  std::uint32_t comment_depth_ = 0;
  char comment_before_ = 0;  // The byte before, if it may be half of /* or */.
  std::size_t tag_bytes_ = 0;
  std::size_t tag_matched_ = 0;
  bool tag_may_end_ = false;  // A dollar and `tag_matched_` bytes of the tag were just read.
  std::size_t folded_bytes_ = 0;
  std::array<char, StatementHead::kTokenBytesMax> folded_;
  std::array<char, StatementHead::kTokenBytesMax> tag_;
  StatementHead statement_;
  StatementWatch watch_;
};

}  // namespace pgweir::session

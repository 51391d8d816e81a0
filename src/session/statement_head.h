// The beginning of one SQL statement: its first tokens, as written, in a fixed buffer. Of SET,
// whose values are repeated on other servers, it keeps all (1 KiB), of other statements the first
// dozen. It knows nothing of SQL's meaning and never allocates. See statement_lexer.h, which fills
// it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgweir::session {

enum class TokenKind : std::uint8_t {
  Word,          // Keyword or name without quotes.
  QuotedName,    // "…"
  UnicodeName,   // U&"…"
  String,        // '…', to be read as standard_conforming_strings says.
  EscapeString,  // E'…'
  OtherString,   // B'…', X'…', N'…', U&'…' and $tag$…$tag$; not kept whole.
  Number,        // Digits and dots.
  Symbol         // One byte of anything else.
};

struct Token {
  TokenKind kind;
  bool is_cut;            // `text` is only the beginning.
  std::string_view text;  // As written, with its quotes. Borrowed from the StatementHead.
};

// True if `token` is the keyword `word` (in lower case), whatever its case.
bool is_word(const Token& token, std::string_view word);
bool is_symbol(const Token& token, char symbol);

// What PostgreSQL makes of a name: lower case, or what stands between double quotes. Empty if
// `token` is no name or a cut or over-long one (PostgreSQL would shorten it), or written in U&"…".
std::string name_of(const Token& token);

class StatementHead {
 public:
  static constexpr std::size_t kTokenCountMax = 12;
  static constexpr std::size_t kTokenBytesMax = 64;
  static constexpr std::size_t kSetTokenCountMax = 96;
  static constexpr std::size_t kSetBytesMax = 1024 + 128;

  bool is_empty() const { return is_empty_; }
  // Leading parentheses are not kept: of `((SELECT 1))` the first token is SELECT.
  std::size_t token_count() const { return token_count_; }
  Token token(std::size_t index) const;  // REQUIRES: index < token_count().
  // False if tokens follow that were not kept, or one was cut.
  bool is_whole() const { return !is_cut_; }

  void clear();
  void begin_token(TokenKind kind);
  // To the token that was begun last.
  void append(std::string_view bytes) {
    if (is_storing_) store(bytes);
  }
  void retype(TokenKind kind);  // The token begun last turns out to be something else.
  void end_token() {
    if (token_count_ == 1 && is_storing_) handle_first_token();
  }

 private:
  struct Stored {
    TokenKind kind;
    bool is_cut;
    std::uint16_t offset;
    std::uint16_t bytes;
  };

  void store(std::string_view bytes);
  void handle_first_token();
  std::size_t token_count_max() const { return is_set_ ? kSetTokenCountMax : kTokenCountMax; }

  bool is_empty_ = true;
  bool is_cut_ = false;
  bool is_set_ = false;      // Its first word is SET.
  bool is_storing_ = false;  // The token begun last is kept.
  std::uint16_t token_count_ = 0;
  std::uint16_t text_bytes_ = 0;
  std::array<Stored, kSetTokenCountMax> tokens_;
  std::array<char, kSetBytesMax> text_;
};

}  // namespace pgweir::session

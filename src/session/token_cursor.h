// Walks over the tokens that a StatementHead kept, for the readers of single statements.
#pragma once

#include <cstddef>
#include <string_view>

#include "session/statement_head.h"

namespace pgweir::session {

// Borrows the head. Every accept takes the next token if it is the one asked for.
class TokenCursor {
 public:
  explicit TokenCursor(const StatementHead& head) : head_(head) {}

  bool has_next(std::size_t ahead = 0) const { return next_ + ahead < head_.token_count(); }
  // All tokens of the statement were taken; none was lost on the way.
  bool is_at_end() const { return !has_next() && head_.is_whole(); }

  Token peek() const { return head_.token(next_); }  // REQUIRES: has_next().
  Token take() { return head_.token(next_++); }      // REQUIRES: has_next().

  bool next_is_word(std::string_view word, std::size_t ahead = 0) const {
    return has_next(ahead) && is_word(head_.token(next_ + ahead), word);
  }
  bool next_is_symbol(char symbol, std::size_t ahead = 0) const {
    return has_next(ahead) && is_symbol(head_.token(next_ + ahead), symbol);
  }
  bool accept_word(std::string_view word) {
    const bool is_next = next_is_word(word);
    if (is_next) ++next_;
    return is_next;
  }
  bool accept_symbol(char symbol) {
    const bool is_next = next_is_symbol(symbol);
    if (is_next) ++next_;
    return is_next;
  }

 private:
  const StatementHead& head_;
  std::size_t next_ = 0;
};

}  // namespace pgweir::session

// For the tests of what is handed the tokens of a statement one by one: those of a text, as the
// lexer cuts it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "session/statement_lexer.h"

namespace pgweir::session {

struct TextToken {
  TokenKind kind;
  std::string text;  // As SetConfigCall and StatementWatch get it.
};

inline std::string without_quotes(const Token& token) {
  const bool is_quoted = token.kind == TokenKind::String || token.kind == TokenKind::QuotedName;
  return std::string(is_quoted ? token.text.substr(1, token.text.size() - 2) : token.text);
}

// text: in lower case, at most eleven tokens.
inline std::vector<TextToken> tokens_of(const std::string& text) {
  // The head of a statement does not keep leading parentheses.
  const std::string whole = "first " + text;
  StatementLexer lexer;
  lexer.reset(true);
  std::string_view rest = whole;
  lexer.scan(rest);
  lexer.finish();
  const StatementHead& head = lexer.statement();
  EXPECT_TRUE(head.is_whole()) << text;
  std::vector<TextToken> tokens;
  for (std::size_t i = 1; i < head.token_count(); ++i) {
    tokens.push_back({head.token(i).kind, without_quotes(head.token(i))});
  }
  return tokens;
}

}  // namespace pgweir::session

// StatementLexer in each of its states: what each kind of byte makes of the semicolon behind it.
// Source of truth: PostgreSQL's scan.l.

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "session/statement_effect.h"

namespace pgweir::session {
namespace {

struct Piece {
  std::string_view name;
  std::string_view text;
};
// What has been read when the byte comes.
const std::vector<Piece> kStates{
    {"Between", " "},
    {"Word", "a"},
    {"UnicodePrefix", "u&"},
    {"Number", "1"},
    {"Minus", "-"},
    {"Slash", "/"},
    {"Dollar", "$"},
    {"Parameter", "$1"},
    {"DollarTag", "$a"},
    {"DollarBody", "$a$"},
    {"DollarBodyEnding", "$a$ $a"},
    {"String", "'"},
    {"EscapeString", "e'"},
    {"StringEscape", "e'\\"},
    {"StringQuote", "'a'"},
    {"EscapeStringQuote", "e'a'"},
    {"EscapeStringNext", "e'a'\n"},
    {"QuotedName", "\""},
    {"QuotedNameQuote", "\"a\""},
    {"LineComment", "--"},
    {"BlockComment", "/*"},
    {"BlockCommentStar", "/**"},
    {"BlockCommentNested", "/*/*"},
    {"Parentheses", "("},
};
const std::vector<Piece> kBytes{
    {"a", "a"}, {"1", "1"}, {"_", " "}, {"nl", "\n"}, {"'", "'"},           {"\"", "\""},
    {"$", "$"}, {"-", "-"}, {"/", "/"}, {"*", "*"},   {"\\", "\\"},         {"(", "("},
    {")", ")"}, {";", ";"}, {"&", "&"}, {"e", "e"},   {"high", "\xC3\xA9"},
};

// Whether the semicolon behind the byte ends a statement.
std::string play(const Piece& state, const Piece& byte) {
  const std::string text = "x " + std::string(state.text) + std::string(byte.text) + ";y";
  return analyse(text, true).statement_count() == 2 ? ";" : ".";
}

// `;`: it ends a statement. `.`: it is part of something else. `_` is a space, `nl` a new line,
// `high` a letter beyond ASCII.
TEST(StatementLexerMatrix, every_kind_of_byte_in_every_state) {
  base::expect_matrix(
      R"(
                       a 1 _ nl ' " $ - / * \ ( ) ; & e high
    Between            ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    Word               ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    UnicodePrefix      ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    Number             ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    Minus              ; ; ; ;  . . ; . ; ; ; . ; ; ; ; ;
    Slash              ; ; ; ;  . . ; ; ; . ; . ; ; ; ; ;
    Dollar             ; ; ; ;  . . . ; ; ; ; . ; ; ; ; ;
    Parameter          ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    DollarTag          ; ; ; ;  . . . ; ; ; ; . ; ; ; ; ;
    DollarBody         . . . .  . . . . . . . . . . . . .
    DollarBodyEnding   . . . .  . . ; . . . . . . . . . .
    String             . . . .  ; . . . . . . . . . . . .
    EscapeString       . . . .  ; . . . . . . . . . . . .
    StringEscape       . . . .  . . . . . . . . . . . . .
    StringQuote        ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    EscapeStringQuote  ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    EscapeStringNext   ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    QuotedName         . . . .  . ; . . . . . . . . . . .
    QuotedNameQuote    ; ; ; ;  . . ; ; ; ; ; . ; ; ; ; ;
    LineComment        . . . ;  . . . . . . . . . . . . .
    BlockComment       . . . .  . . . . . . . . . . . . .
    BlockCommentStar   . . . .  . . . . ; . . . . . . . .
    BlockCommentNested . . . .  . . . . . . . . . . . . .
    Parentheses        . . . .  . . . . . . . . ; . . . .
  )",
      base::names_of(kStates), base::names_of(kBytes),
      [](std::size_t state, std::size_t byte) { return play(kStates[state], kBytes[byte]); });
}

}  // namespace
}  // namespace pgweir::session

// Reads SET and RESET in all their spellings: which parameter of the session gets which value.
// Source of truth: gram.y, VariableSetStmt and VariableResetStmt.
#pragma once

#include <string>

#include "session/statement_effect.h"
#include "session/token_cursor.h"

namespace pgweir::session {

// The cursor stands behind the SET; standard_conforming_strings tells how its strings are read.
StatementEffect read_set(TokenCursor cursor, bool standard_conforming_strings);

// The cursor stands behind the RESET.
StatementEffect read_reset(TokenCursor cursor, bool standard_conforming_strings);

// A parameter's name as it stands in a string, in lower case; empty if it is no plain one.
std::string take_parameter_string(TokenCursor& cursor);

}  // namespace pgweir::session

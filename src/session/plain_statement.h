// Tells at a glance that a text is one statement without any effect on its session: nearly all of
// what applications send. It proves that and nothing else; what it is not sure of is left to
// EffectAnalyser (statement_effect.h), which would find no effect in what this calls plain.
#pragma once

#include <string_view>

namespace pgweir::session {

// True: one SELECT, INSERT, UPDATE, DELETE, WITH, VALUES, BEGIN or COMMIT in which no name is
// watched, without comments, dollar quotes and backslashes in strings, so that it reads the same
// whatever standard_conforming_strings is. Looks at each byte about once, allocates nothing.
// REQUIRES: is_ascii_superset() of the client_encoding (client_encoding.h).
bool is_plain_statement(std::string_view text);

}  // namespace pgweir::session

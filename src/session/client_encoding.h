// Which encodings of SQL text pgweir can read byte by byte.
// Source of truth: encnames.c of PostgreSQL and its list of encodings for clients only.
#pragma once

#include <string_view>

namespace pgweir::session {

// True if bytes below 0x80 are always ASCII characters in this client_encoding, whose name may be
// in any spelling that PostgreSQL takes. Not so in SJIS, BIG5, GBK and the like, where they may be
// the second half of a character: what a backslash or a letter is there cannot be told.
bool is_ascii_superset(std::string_view client_encoding);

}  // namespace pgweir::session

// Keys that libpq, Prisma or PgBouncer know and that change nothing here. They are accepted, so
// that a URL or a pgbouncer.ini works as it is, and a note says what happens instead. In
// pgweir.toml, which is written for pgweir, the same keys are mistakes.
#pragma once

#include <string_view>

#include "config/document.h"

namespace pgweir::config {

inline constexpr std::string_view kAnyValue = "*";

struct WithoutEffect {
  std::string_view key;
  std::string_view instead;  // What happens instead, as the end of a sentence.
  // The one value that must not be passed over in silence: it is a mistake. Empty: there is none;
  // kAnyValue: each is.
  std::string_view refused = {};
};

// Nullptr: not such a key.
const WithoutEffect* find_without_effect(Syntax syntax, Scope scope, std::string_view key);

}  // namespace pgweir::config

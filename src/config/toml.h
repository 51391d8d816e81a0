// Reads pgweir.toml: settings at the top or in [pgweir], databases in [databases.NAME], users in
// [users.NAME]. Syntax only; what a setting means is the settings table's. Wraps toml++, which
// throws.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"

namespace pgweir::config {

// file: its name, for the places of assignments and mistakes.
Document parse_toml(std::string_view text, const std::string& file, Report& report);

}  // namespace pgweir::config

// Reads pgbouncer.ini: [pgbouncer], [databases] with connection strings, [users]. Syntax only; what
// a setting means is the settings table's. Source of truth: PgBouncer 1.25, config(5). It differs
// in one point: PgBouncer stops at the first bad line, this reader names them all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/document.h"

namespace pgweir::config {

// The contents of a file that a configuration names, from whoever may open files.
using FileReader = std::function<base::Result<std::string>(const std::string& path)>;

// reader: for %include. file: its name, for the places of assignments and mistakes.
Document parse_ini(std::string_view text, const std::string& file, const FileReader& reader,
                   Report& report);

}  // namespace pgweir::config

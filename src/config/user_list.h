// Reads PgBouncer's auth_file (userlist.txt): one "user" "secret" a line.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"

namespace pgweir::config {

// Adds a user section with its password for every line. `""` in a text is a quote; a line that
// begins with `;` and whatever follows the secret are comments. Mistakes never quote the line.
void parse_user_list(std::string_view text, const std::string& file, Document& document,
                     Report& report);

}  // namespace pgweir::config

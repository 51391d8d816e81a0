// Whether names lead to pg_temp, the schema of temporary objects: with it in front of search_path,
// whatever is created is temporary and outlives its transaction.
#pragma once

#include <string>
#include <string_view>

#include "session/ascii_case.h"

namespace pgweir::session {

// pg_temp is this session's; pg_temp_3 may be. name: in lower case.
inline bool is_temporary_schema(std::string_view name) {
  constexpr std::string_view kOwn = "pg_temp";
  if (!name.starts_with(kOwn)) return false;
  name.remove_prefix(kOwn.size());
  if (name.empty()) return true;
  return name.front() == '_' && name.find_first_not_of("0123456789", 1) == name.npos;
}

// search_path: a plain value or the source text of a SET, whose escapes are not read.
inline bool may_name_temporary_schema(std::string_view search_path) {
  if (search_path.find('\\') != search_path.npos) return true;
  return folded(search_path).find("pg_temp") != std::string::npos;
}

}  // namespace pgweir::session

// LargeObjects: which functions of a FunctionCall are those for large objects. They leave nothing
// behind in the session; what any other function does to it cannot be seen.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace pgweir::session {

// lo_create, lo_open, lo_close, loread, lowrite, lo_lseek, lo_creat, lo_tell, lo_unlink,
// lo_truncate, and lo_lseek64, lo_tell64, lo_truncate64 (pg_proc.dat; the same numbers in every
// PostgreSQL). libpq looks them up and calls them by number.
inline constexpr std::array<std::uint32_t, 13> kLargeObjectFunctions = {
    715, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172};

inline bool is_large_object_function(std::uint32_t oid) {
  return std::find(kLargeObjectFunctions.begin(), kLargeObjectFunctions.end(), oid) !=
         kLargeObjectFunctions.end();
}

}  // namespace pgweir::session

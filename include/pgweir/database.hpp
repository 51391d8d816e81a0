/// \file
/// database(): the one pool of this process, from DATABASE_URL. Every call, from every translation
/// unit and thread, gives the same one.
#pragma once

#include "pgweir/database_pool.hpp"

namespace pgweir {
inline namespace v1 {

/// Made by the first call; it lives until the process ends. After a fork the child has another.
/// Errors: config, at each call until DATABASE_URL is right.
PGWEIR_EXPORT database_pool& database(code_location where = code_location::current());

}  // namespace v1
}  // namespace pgweir

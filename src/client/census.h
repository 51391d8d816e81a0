// Census: which pools there are in this process. Two for one database are most often a mistake: one
// pool per request, or one per translation unit.
#pragma once

#include "client/database.h"
#include "pgweir/code_location.hpp"

namespace pgweir::client {

// A pool was made there. If there is one for the same database, its log says so, with both places.
void note_pool(Database& database, const code_location& where);

// It takes no connections any more. Does nothing the second time.
void forget_pool(const Database& database);

}  // namespace pgweir::client

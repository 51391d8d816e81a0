/// \file
/// All of libpgweir that needs nothing else to be installed.
#pragma once

#include "pgweir/database.hpp"  // IWYU pragma: export

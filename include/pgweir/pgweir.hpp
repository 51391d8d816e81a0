/// \file
/// All of libpgweir that needs nothing else to be installed.
#pragma once

#include "pgweir/database.hpp"        // IWYU pragma: export
#include "pgweir/health.hpp"          // IWYU pragma: export
#include "pgweir/listener.hpp"        // IWYU pragma: export
#include "pgweir/shutdown_guard.hpp"  // IWYU pragma: export

/// \file
/// Every type that the library itself can send and read; no code of its own.
#pragma once

#include "pgweir/values/arrays.hpp"     // IWYU pragma: export
#include "pgweir/values/json.hpp"       // IWYU pragma: export
#include "pgweir/values/numbers.hpp"    // IWYU pragma: export
#include "pgweir/values/optionals.hpp"  // IWYU pragma: export
#include "pgweir/values/structs.hpp"    // IWYU pragma: export
#include "pgweir/values/texts.hpp"      // IWYU pragma: export
#include "pgweir/values/times.hpp"      // IWYU pragma: export
#include "pgweir/values/uuid.hpp"       // IWYU pragma: export

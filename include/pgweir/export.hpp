/// \file
/// PGWEIR_EXPORT: what of the library can be seen from outside of it; all else is hidden.
#pragma once

#if defined(__GNUC__)
#define PGWEIR_EXPORT __attribute__((visibility("default")))
#else
#define PGWEIR_EXPORT
#endif

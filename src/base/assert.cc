#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace pgweir::base {

void fail_assertion(const char* expression, std::source_location where) {
  std::fprintf(stderr, "%s:%u: %s: assertion failed: %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name(), expression);
  std::abort();
}

}  // namespace pgweir::base

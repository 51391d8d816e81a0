#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace pgweir::base {

void fail_assertion(const char* expression, const char* file, int line, const char* function) {
  std::fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, expression);
  std::abort();
}

}  // namespace pgweir::base

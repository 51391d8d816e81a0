// ASSERT: states what our own code guarantees, in release builds too. It is not for what a peer,
// a file or a user may get wrong: those are `Result` values (base/result.h).
//
// A pooler that is confused about itself may show one tenant's rows to another, so stopping is the
// lesser harm. See docs/decisions/0002-assertions-stay-on.md.
#pragma once

namespace pgweir::base {

// Writes the expression and its place to standard error and aborts. (clang 14 cannot compile
// libstdc++'s std::source_location, hence the three values.)
[[noreturn]] void fail_assertion(const char* expression, const char* file, int line,
                                 const char* function);

}  // namespace pgweir::base

#define ASSERT(condition)                                                       \
  do {                                                                          \
    if (!(condition)) [[unlikely]]                                              \
      ::pgweir::base::fail_assertion(#condition, __FILE__, __LINE__, __func__); \
  } while (false)

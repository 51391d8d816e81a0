/// \file
/// code_location: where in the user's code something was asked for. Part of every report.
#pragma once

#include <cstdint>

namespace pgweir {
inline namespace v1 {

/// Stands in for std::source_location, which clang 14 lacks, and has one layout for all compilers.
/// The texts are literals: they are there for as long as the program is.
struct code_location {
  const char* file = "";         ///< As the compiler was given it.
  const char* function = "";     ///< Its name without parameters.
  std::uint_least32_t line = 0;  ///< From 1; 0: not known.

  /// As a default argument: the place of the call. Never throws.
  static constexpr code_location current(const char* file = __builtin_FILE(),
                                         const char* function = __builtin_FUNCTION(),
                                         std::uint_least32_t line = __builtin_LINE()) noexcept {
    return {file, function, line};
  }
};

}  // namespace v1
}  // namespace pgweir

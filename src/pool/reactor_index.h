// Which data reactor: a number and a set of them, and where a test switches between them.
#pragma once

#include <cstdint>

namespace pgweir::pool {

// A data reactor, 0 to kReactorCountMax - 1, and a set of them.
using ReactorIndex = std::uint32_t;
using ReactorMask = std::uint32_t;
inline constexpr ReactorIndex kReactorCountMax = 8;
constexpr ReactorMask mask_of(ReactorIndex reactor) { return ReactorMask{1} << reactor; }

// Where the simulator switches reactors: it sets the hook before the first of them begins. nullptr
// everywhere else.
struct HookedYield {
  static inline void (*hook)() = nullptr;
  static void yield() {
    if (hook != nullptr) [[unlikely]]
      hook();
  }
};

}  // namespace pgweir::pool

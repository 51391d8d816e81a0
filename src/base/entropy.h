// Entropy: where unpredictable bytes come from (nonces, cancel keys). The shells take them from the
// operating system; the simulator makes them up from its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pgweir::base {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint32_t u32() {
    std::byte raw[4];
    fill(raw);
    std::uint32_t value = 0;
    for (const std::byte b : raw) value = (value << 8U) | std::to_integer<std::uint32_t>(b);
    return value;
  }
};

}  // namespace pgweir::base

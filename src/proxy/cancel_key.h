// The pid of a cancel key: which number stands for which client of which Relay. PostgreSQL's is
// that of a backend; ours is a slot of a Relay's table, and the Relay above it.
#pragma once

#include <cstdint>

#include "pool/exchange.h"
#include "wire/startup.h"

namespace pgweir::proxy {

// A pid is positive for PostgreSQL's clients, which read it as int32: 3 bits for the Relay, 28 for
// the slot, which counts from 1.
inline constexpr std::uint32_t kSlotBits = 28;
static_assert(pool::kReactorCountMax <= 8);

constexpr std::uint32_t cancel_pid(pool::ReactorIndex relay, std::uint32_t slot) {
  return relay << kSlotBits | (slot + 1);
}
// Whose client it may be; below 16, whatever the peer has sent.
constexpr pool::ReactorIndex relay_of_pid(std::uint32_t pid) { return pid >> kSlotBits; }
// Its slot; the largest number for none.
constexpr std::uint32_t slot_of_pid(std::uint32_t pid) {
  return (pid & ((1U << kSlotBits) - 1)) - 1;
}

}  // namespace pgweir::proxy

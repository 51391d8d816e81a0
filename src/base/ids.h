// Strong ids: what one floor calls a thing that another floor owns. They are not pointers; whoever
// owns the thing looks it up and finds out whether it still exists.
#pragma once

#include <cstdint>

namespace pgweir::base {

// One connection of one Io: a slot (low 32 bits) and the generation of its use (high 32 bits), so
// that an event for a connection that has ended meanwhile is recognised without a search.
enum class ConnectionId : std::uint64_t { None = 0 };

constexpr std::uint32_t slot_of(ConnectionId id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint32_t generation_of(ConnectionId id) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32U);
}
// generation: never 0, so that no valid id equals ConnectionId::None.
constexpr ConnectionId make_connection_id(std::uint32_t slot, std::uint32_t generation) {
  return ConnectionId{(std::uint64_t{generation} << 32U) | slot};
}

// A pool (servers of one database and user) in the order of configuration or first use.
enum class PoolId : std::uint32_t {};
constexpr std::uint32_t index_of(PoolId id) { return static_cast<std::uint32_t>(id); }

}  // namespace pgweir::base

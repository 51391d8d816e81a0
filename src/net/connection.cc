#include "net/connection.h"

#include "base/assert.h"

namespace pgweir::net {

Connection& ConnectionTable::add() {
  if (free_.empty()) {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<std::array<Connection, kChunk>>());
    free_.reserve(chunks_.size() * kChunk);
    for (std::uint32_t slot = first + kChunk; slot-- > first;) {
      at(slot).slot = slot;
      free_.push_back(slot);
    }
  }
  Connection& connection = at(free_.back());
  free_.pop_back();
  connection.phase = Phase::Connecting;
  ++count_;
  return connection;
}

void ConnectionTable::remove(Connection& connection) {
  ASSERT(connection.phase != Phase::Free);
  const std::uint32_t slot = connection.slot;
  const std::uint32_t next = connection.generation + 1;
  connection = Connection{};
  connection.slot = slot;
  connection.generation = next == 0 ? 1 : next;
  free_.push_back(slot);
  --count_;
}

Connection* ConnectionTable::find(base::ConnectionId id) {
  const std::uint32_t slot = base::slot_of(id);
  if (slot / kChunk >= chunks_.size()) return nullptr;
  Connection& connection = at(slot);
  if (connection.generation != base::generation_of(id)) return nullptr;
  return connection.phase == Phase::Free ? nullptr : &connection;
}

}  // namespace pgweir::net

#include "session/name_map.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/assert.h"

namespace pgweir::session {
namespace {

constexpr std::size_t kCapacityMin = 4;
// What erased names may leave behind before the rest moves together.
constexpr std::size_t kWasteBytesMax = 256;

std::uint32_t hash_of(std::string_view name) {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(name));
}

// Three quarters: probes stay short.
bool is_crowded(std::size_t size, std::size_t capacity) { return size * 4 > capacity * 3; }

}  // namespace

StatementId NameMap::find(std::string_view name) const {
  if (size_ == 0) return StatementId{};
  return entries_[place_of(name, hash_of(name))].id;
}

std::size_t NameMap::place_of(std::string_view name, std::uint32_t hash) const {
  std::size_t place = hash & mask();
  while (entries_[place].is_taken() &&
         (entries_[place].hash != hash || name_of(entries_[place]) != name)) {
    place = (place + 1) & mask();
  }
  return place;
}

void NameMap::set(std::string_view name, StatementId id) {
  ASSERT(id != StatementId{});
  if (is_crowded(size_ + 1, entries_.size())) rebuild(std::max(kCapacityMin, entries_.size() * 2));
  const std::uint32_t hash = hash_of(name);
  Entry& entry = entries_[place_of(name, hash)];
  if (!entry.is_taken()) {
    entry = {.hash = hash,
             .offset = static_cast<std::uint32_t>(names_.size()),
             .bytes = static_cast<std::uint32_t>(name.size())};
    names_ += name;
    name_bytes_ += name.size();
    ++size_;
  }
  entry.id = id;
}

// What was displaced by it moves back, so that no mark has to stay where it was.
void NameMap::erase(std::string_view name) {
  if (size_ == 0) return;
  std::size_t hole = place_of(name, hash_of(name));
  if (!entries_[hole].is_taken()) return;
  name_bytes_ -= entries_[hole].bytes;
  if (--size_ == 0) return clear();
  for (std::size_t place = (hole + 1) & mask(); entries_[place].is_taken();
       place = (place + 1) & mask()) {
    const std::size_t home = entries_[place].hash & mask();
    const bool is_behind_hole = ((place - home) & mask()) >= ((place - hole) & mask());
    if (is_behind_hole) entries_[std::exchange(hole, place)] = entries_[place];
  }
  entries_[hole] = {};
  if (names_.size() - name_bytes_ > std::max(kWasteBytesMax, name_bytes_)) {
    rebuild(entries_.size());
  }
}

void NameMap::rebuild(std::size_t capacity) {
  const std::vector<Entry> entries = std::exchange(entries_, std::vector<Entry>(capacity));
  const std::string names = std::exchange(names_, {});
  names_.reserve(name_bytes_);
  for (Entry entry : entries) {
    if (!entry.is_taken()) continue;
    const std::string_view name = std::string_view(names).substr(entry.offset, entry.bytes);
    entry.offset = static_cast<std::uint32_t>(names_.size());
    names_ += name;
    std::size_t place = entry.hash & mask();
    while (entries_[place].is_taken()) place = (place + 1) & mask();
    entries_[place] = entry;
  }
}

}  // namespace pgweir::session

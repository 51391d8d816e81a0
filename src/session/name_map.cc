#include "session/name_map.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <utility>

#include "base/assert.h"

namespace pgweir::session {
namespace {

constexpr std::size_t kCapacityMin = 4;
// What erased names may leave behind before the rest moves together.
constexpr std::size_t kWasteBytesMax = 256;
// Stands for a length that one byte cannot tell; four bytes with the length follow.
constexpr unsigned char kLong = 0xff;

std::uint32_t length_bytes(std::size_t length) {
  return length < kLong ? 1U : 1U + static_cast<std::uint32_t>(sizeof(std::uint32_t));
}

// Seven eighths: probes are still short.
bool is_crowded(std::size_t size, std::size_t capacity) { return size * 8 > capacity * 7; }

// A quarter at a time: what lies idle for ever in thousands of sessions costs more than moving a
// few names once more.
std::size_t grown(std::size_t capacity) {
  return std::max(kCapacityMin, capacity + capacity / 4 + 2);
}

}  // namespace

StatementId NameMap::find(std::string_view name) const {
  return size_ == 0 ? StatementId{} : entries_[place_of(name)].id;
}

std::string_view NameMap::name_of(const Entry& entry) const {
  const char* at = names_.data() + entry.offset;
  std::uint32_t length = static_cast<unsigned char>(*at);
  const std::uint32_t before = length_bytes(length);
  if (length == kLong) std::memcpy(&length, at + 1, sizeof(length));
  return {at + before, length};
}

std::size_t NameMap::home_of(std::string_view name) const {
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(name));
  return (std::uint64_t{hash} * entries_.size()) >> 32U;
}

std::size_t NameMap::place_of(std::string_view name) const {
  std::size_t place = home_of(name);
  while (entries_[place].is_taken() && name_of(entries_[place]) != name) place = next(place);
  return place;
}

void NameMap::set(std::string_view name, StatementId id) {
  ASSERT(id != StatementId{});
  if (is_crowded(size_ + 1, entries_.size())) rebuild(grown(entries_.size()));
  Entry& entry = entries_[place_of(name)];
  if (!entry.is_taken()) {
    entry.offset = append(name);
    name_bytes_ += length_bytes(name.size()) + static_cast<std::uint32_t>(name.size());
    ++size_;
  }
  entry.id = id;
}

std::uint32_t NameMap::append(std::string_view name) {
  const std::size_t offset = names_.size();
  const std::size_t needed = offset + length_bytes(name.size()) + name.size();
  if (needed > names_.capacity()) names_.reserve(needed + offset / 4);
  if (name.size() < kLong) {
    names_.push_back(static_cast<char>(name.size()));
  } else {
    std::array<char, sizeof(std::uint32_t)> length{};
    const auto size = static_cast<std::uint32_t>(name.size());
    std::memcpy(length.data(), &size, sizeof(size));
    names_.push_back(static_cast<char>(kLong));
    names_.insert(names_.end(), length.begin(), length.end());
  }
  names_.insert(names_.end(), name.begin(), name.end());
  return static_cast<std::uint32_t>(offset);
}

// What was displaced by it moves back, so that no mark has to stay where it was.
void NameMap::erase(std::string_view name) {
  if (size_ == 0) return;
  std::size_t hole = place_of(name);
  if (!entries_[hole].is_taken()) return;
  name_bytes_ -= length_bytes(name.size()) + static_cast<std::uint32_t>(name.size());
  if (--size_ == 0) return clear();
  for (std::size_t place = next(hole); entries_[place].is_taken(); place = next(place)) {
    const std::size_t home = home_of(name_of(entries_[place]));
    const bool is_behind_hole = steps(home, place) >= steps(hole, place);
    if (is_behind_hole) entries_[std::exchange(hole, place)] = entries_[place];
  }
  entries_[hole] = {};
  if (names_.size() - name_bytes_ > std::max<std::size_t>(kWasteBytesMax, name_bytes_)) {
    rebuild(entries_.size());
  }
}

void NameMap::rebuild(std::size_t capacity) {
  NameMap before = std::exchange(*this, NameMap{});
  entries_.resize(capacity);
  names_.reserve(before.name_bytes_);
  before.for_each([this](std::string_view name, StatementId id) {
    entries_[place_of(name)] = {.offset = append(name), .id = id};
  });
  size_ = before.size_;
  name_bytes_ = before.name_bytes_;
}

}  // namespace pgweir::session

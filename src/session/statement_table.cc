#include "session/statement_table.h"

#include <xxhash.h>

#include <algorithm>

#include "base/assert.h"

namespace pgweir::session {
namespace {

std::uint64_t hash_of(std::string_view query, base::Bytes types, std::string_view reading) {
  const std::uint64_t rest = XXH3_64bits(types.data(), types.size()) +
                             XXH3_64bits_withSeed(reading.data(), reading.size(), 1);
  return XXH3_64bits(query.data(), query.size()) ^ (rest * 0x9e3779b97f4a7c15U);
}

std::string name_of(std::uint64_t serial) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name = "pgweir_0000000000000000";
  for (std::size_t i = name.size(); serial != 0; serial >>= 4U) name[--i] = kDigits[serial & 0xfU];
  return name;
}

}  // namespace

StatementTable::StatementTable(std::size_t unused_max, std::size_t unused_bytes_max)
    : unused_max_(unused_max), unused_bytes_max_(unused_bytes_max) {}

// The author is the first digit of a name.
void StatementTable::set_author(std::uint32_t author) {
  ASSERT(author < 16 && statements_.empty());
  last_serial_ = std::uint64_t{author} << 60U;
}

StatementTable::~StatementTable() {
  // Hooks leave the list while the list is still there.
  for (auto& statement : statements_) statement.reset();
}

StatementId StatementTable::intern(std::string_view query, base::Bytes types,
                                   std::string_view reading) {
  const std::uint64_t hash = hash_of(query, types, reading);
  if (const StatementId known = lookup(hash, query, types, reading); known != StatementId::None) {
    retain(known);
    return known;
  }
  if (free_.empty()) {
    statements_.push_back(nullptr);
    free_.push_back(static_cast<std::uint32_t>(statements_.size()));
  }
  const StatementId id{free_.back()};
  free_.pop_back();
  auto statement = std::make_unique<Statement>();
  statement->id = id;
  statement->query = query;
  statement->types.assign(types.begin(), types.end());
  statement->reading = reading;
  statement->effects = analyse(query, true);
  statement->server_name = make_name();
  statement->hash = hash;
  statement->references = 1;
  statements_[static_cast<std::uint32_t>(id) - 1] = std::move(statement);
  by_hash_.emplace(hash, id);
  return id;
}

StatementId StatementTable::lookup(std::string_view query, base::Bytes types,
                                   std::string_view reading) const {
  return lookup(hash_of(query, types, reading), query, types, reading);
}

StatementId StatementTable::lookup(std::uint64_t hash, std::string_view query, base::Bytes types,
                                   std::string_view reading) const {
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Statement& known = at(it->second);
    const bool is_same =
        known.query == query && known.reading == reading && std::ranges::equal(known.types, types);
    if (is_same) return it->second;
  }
  return StatementId::None;
}

void StatementTable::accept(StatementId id, base::PoolId pool) {
  if (find(id) != nullptr && !is_accepted(id, pool)) entry(id).accepted_in.push_back(pool);
}

bool StatementTable::is_accepted(StatementId id, base::PoolId pool) const {
  const Statement* statement = find(id);
  if (statement == nullptr) return false;
  const std::vector<base::PoolId>& pools = statement->accepted_in;
  return std::find(pools.begin(), pools.end(), pool) != pools.end();
}

void StatementTable::retain(StatementId id) {
  Statement& statement = entry(id);
  if (statement.references++ == 0) {
    statement.unlink();
    --unused_count_;
    unused_bytes_ -= statement.query.size();
  }
}

void StatementTable::release(StatementId id) {
  Statement& statement = entry(id);
  ASSERT(statement.references > 0);
  if (--statement.references > 0) return;
  unused_.push_back(statement);
  ++unused_count_;
  unused_bytes_ += statement.query.size();
  while (unused_count_ > unused_max_ || unused_bytes_ > unused_bytes_max_) forget_oldest_unused();
}

void StatementTable::retire(StatementId id) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index == 0 || index > statements_.size() || statements_[index - 1] == nullptr) return;
  unlist(*statements_[index - 1]);
}

void StatementTable::unlist(const Statement& statement) {
  const auto [first, last] = by_hash_.equal_range(statement.hash);
  for (auto at = first; at != last; ++at) {
    if (at->second != statement.id) continue;
    by_hash_.erase(at);
    return;
  }
}

std::string StatementTable::make_name() { return name_of(++last_serial_); }

const Statement* StatementTable::find(StatementId id) const {
  const auto index = static_cast<std::uint32_t>(id);
  return index == 0 || index > statements_.size() ? nullptr : statements_[index - 1].get();
}

const Statement& StatementTable::at(StatementId id) const {
  const auto index = static_cast<std::uint32_t>(id);
  ASSERT(index != 0 && index <= statements_.size() && statements_[index - 1] != nullptr);
  return *statements_[index - 1];
}

Statement& StatementTable::entry(StatementId id) {
  const auto index = static_cast<std::uint32_t>(id);
  ASSERT(index != 0 && index <= statements_.size() && statements_[index - 1] != nullptr);
  return *statements_[index - 1];
}

void StatementTable::forget_oldest_unused() {
  Statement* oldest = unused_.pop_front();
  --unused_count_;
  unused_bytes_ -= oldest->query.size();
  unlist(*oldest);
  const auto index = static_cast<std::uint32_t>(oldest->id);
  free_.push_back(index);
  statements_[index - 1].reset();
}

}  // namespace pgweir::session

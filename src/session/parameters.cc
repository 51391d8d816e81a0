#include "session/parameters.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/assert.h"
#include "session/ascii_case.h"

namespace pgweir::session {
namespace {

// Those that PostgreSQL reports with capitals; every other name is in lower case.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSpellings{
    {{"datestyle", "DateStyle"}, {"intervalstyle", "IntervalStyle"}, {"timezone", "TimeZone"}}};

auto find_in(const ParameterSet& set, std::string_view name) {
  const auto at = std::lower_bound(
      set.begin(), set.end(), name,
      [](const auto& parameter, std::string_view wanted) { return parameter.first < wanted; });
  return at != set.end() && at->first == name ? at : set.end();
}

// As a literal that reads the same whatever standard_conforming_strings is: where a backslash
// occurs, the E form, which always means an escape.
void append_literal(std::string& sql, std::string_view value) {
  const bool has_backslash = value.find('\\') != std::string_view::npos;
  if (has_backslash) sql += " E";
  sql += '\'';
  for (const char c : value) {
    if (c == '\'' || c == '\\') sql += c;
    sql += c;
  }
  sql += '\'';
}

// Each part of a dotted name is quoted; a double quote in it would end it, so it is doubled.
void append_name(std::string& sql, std::string_view name) {
  sql += '"';
  for (const char c : name) {
    if (c == '"') sql += '"';
    if (c == '.') {
      sql += "\".\"";
    } else {
      sql += c;
    }
  }
  sql += '"';
}

// A plain value goes through set_config(), which reads it as a startup packet's is read; SET would
// take 'a, b' for one schema of that name. Both are named in full: a search_path may hide neither.
void append_set(std::string& sql, std::string_view name, const ParameterValue& value) {
  if (value.is_source) {
    sql += "SET ";
    append_name(sql, name);
    sql += " TO ";
    sql += value.text;
    sql += ';';
    return;
  }
  sql += "SELECT pg_catalog.set_config(";
  append_literal(sql, name);
  sql += ',';
  append_literal(sql, value.text);
  sql += ",false);";
}

void append_reset(std::string& sql, std::string_view name) {
  sql += "RESET ";
  append_name(sql, name);
  sql += ';';
}

}  // namespace

std::string canonical_name(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [plain, reported] : kSpellings) {
    if (lower == plain) return std::string(reported);
  }
  return lower;
}

std::size_t ParameterTable::SetHash::operator()(const ParameterSet* set) const {
  std::size_t hash = set->size();
  for (const auto& [name, value] : *set) {
    hash = hash * 31 + std::hash<std::string>()(name);
    hash = hash * 31 + std::hash<std::string>()(value.text);
  }
  return hash;
}

ParameterTable::ParameterTable() {
  entries_.push_back(std::make_unique<Entry>());  // The empty set, for ever.
  entries_[0]->references = 1;
  ids_.emplace(&entries_[0]->set, ParameterSetId::Empty);
}

ParameterSetId ParameterTable::intern(ParameterSet set) {
  ASSERT(std::is_sorted(set.begin(), set.end(),
                        [](const auto& a, const auto& b) { return a.first < b.first; }));
  if (const auto known = ids_.find(&set); known != ids_.end()) {
    retain(known->second);
    return known->second;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.push_back(nullptr);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  entries_[index] = std::make_unique<Entry>(Entry{.set = std::move(set), .references = 1});
  const ParameterSetId id{index};
  ids_.emplace(&entries_[index]->set, id);
  return id;
}

ParameterSetId ParameterTable::with(ParameterSetId base, std::string_view name,
                                    ParameterValue value) {
  ParameterSet set = at(base);
  const std::string key = canonical_name(name);
  const auto place = std::lower_bound(
      set.begin(), set.end(), key,
      [](const auto& parameter, const std::string& wanted) { return parameter.first < wanted; });
  if (place != set.end() && place->first == key) {
    place->second = std::move(value);
  } else {
    set.emplace(place, key, std::move(value));
  }
  return intern(std::move(set));
}

ParameterSetId ParameterTable::without(ParameterSetId base, std::string_view name) {
  ParameterSet set = at(base);
  const std::string key = canonical_name(name);
  std::erase_if(set, [&](const auto& parameter) { return parameter.first == key; });
  return intern(std::move(set));
}

void ParameterTable::retain(ParameterSetId id) {
  if (id != ParameterSetId::Empty) ++entries_[static_cast<std::uint32_t>(id)]->references;
}

void ParameterTable::release(ParameterSetId id) {
  if (id == ParameterSetId::Empty) return;
  const auto index = static_cast<std::uint32_t>(id);
  ASSERT(entries_[index] != nullptr && entries_[index]->references > 0);
  if (--entries_[index]->references > 0) return;
  ids_.erase(&entries_[index]->set);
  entries_[index].reset();
  free_.push_back(index);
}

const ParameterSet& ParameterTable::at(ParameterSetId id) const {
  const auto& entry = entries_[static_cast<std::uint32_t>(id)];
  ASSERT(entry != nullptr);
  return entry->set;
}

const ParameterValue* ParameterTable::find(ParameterSetId id, std::string_view name) const {
  const ParameterSet& set = at(id);
  const auto found = find_in(set, name);
  return found == set.end() ? nullptr : &found->second;
}

// A set is small, and a name that is compared in place need not be copied.
const ParameterValue* ParameterTable::find_spelled(ParameterSetId id, std::string_view name) const {
  for (const auto& [kept, value] : at(id)) {
    const bool is_same = std::equal(kept.begin(), kept.end(), name.begin(), name.end(),
                                    [](char a, char b) { return fold(a) == fold(b); });
    if (is_same) return &value;
  }
  return nullptr;
}

void ParameterTable::append_difference(ParameterSetId from, ParameterSetId to,
                                       std::string& sql) const {
  if (from == to) return;
  const ParameterSet& has = at(from);
  const ParameterSet& wants = at(to);
  for (const auto& [name, value] : has) {
    if (find_in(wants, name) == wants.end()) append_reset(sql, name);
  }
  for (const auto& [name, value] : wants) {
    const auto known = find_in(has, name);
    if (known != has.end() && known->second == value) continue;
    // "ISO" leaves the order of day and month as it is; the client means the server's own order.
    if (known != has.end() && name == "DateStyle") append_reset(sql, name);
    append_set(sql, name, value);
  }
}

}  // namespace pgweir::session

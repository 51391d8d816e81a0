#include "client/statement_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"

namespace pgweir::client {
namespace {

constexpr std::array<std::string_view, 8> kPlanned{"select", "insert", "update", "delete",
                                                   "with",   "values", "merge",  "table"};

// A copy of what is prepared is kept.
constexpr std::size_t kTextBytesMax = 64 * 1024;

// FNV-1a with two primes, and the avalanche of SplitMix64 behind it. Not for secrets.
class ContentHash {
 public:
  ContentHash(std::string_view text, std::span<const Oid> types) {
    for (const char c : text) add(static_cast<unsigned char>(c));
    for (const Oid type : types) {
      for (unsigned shift = 0; shift < 32; shift += 8) add((type >> shift) & 0xffU);
    }
    add(types.size());
  }
  std::uint64_t first() const { return mix(first_); }
  std::uint64_t second() const { return mix(second_); }

 private:
  void add(std::uint64_t byte) {
    first_ = (first_ ^ byte) * 0x100000001b3U;
    second_ = (second_ ^ byte) * 0x9e3779b97f4a7c15U;
  }
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  std::uint64_t first_ = 0xcbf29ce484222325U;
  std::uint64_t second_ = 0x84222325cbf29ce4U;
};

std::uint64_t key_of(std::string_view text, std::span<const Oid> types) {
  std::uint64_t key = std::hash<std::string_view>()(text);
  for (const Oid type : types) key = (key ^ type) * 0x9e3779b97f4a7c15U;
  return key;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// Behind white space, parentheses and comments. A comment inside a comment is not understood; then
// nothing is found.
std::string_view skip_to_word(std::string_view text) {
  while (!text.empty()) {
    if (text.starts_with("--")) {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (text.starts_with("/*")) {
      const std::size_t end = text.find("*/", 2);
      if (end == std::string_view::npos) return {};
      text.remove_prefix(end + 2);
    } else if (std::string_view(" \t\r\n\f\v(").find(text.front()) != std::string_view::npos) {
      text.remove_prefix(1);
    } else {
      break;
    }
  }
  return text;
}

}  // namespace

bool is_planned(std::string_view text) {
  const std::string_view rest = skip_to_word(text);
  const auto is_first_word = [&](std::string_view word) {
    return rest.size() > word.size() && !is_letter(rest[word.size()]) &&
           std::equal(word.begin(), word.end(), rest.begin(),
                      [](char wanted, char c) { return wanted == to_lower(c); });
  };
  return std::any_of(kPlanned.begin(), kPlanned.end(), is_first_word);
}

StatementCache::Plan StatementCache::make_plan(std::string_view text, std::span<const Oid> types,
                                               std::size_t count_max) {
  if (count_max == 0) return {};
  const Key key = key_of(text, types);
  const auto known = entries_.find(key);
  if (known != entries_.end()) {
    Entry& entry = known->second;
    const bool is_same = entry.text_ == text && std::equal(entry.types_.begin(), entry.types_.end(),
                                                           types.begin(), types.end());
    if (!is_same) return {};
    entry.used_at_ = ++use_count_;
    switch (entry.state_) {
      case Entry::State::Prepared: return {.entry = &entry};
      case Entry::State::Outdated: return {.entry = &entry, .prepares = true, .leaving = &entry};
      case Entry::State::Wanted:
      case Entry::State::Unknown: return {};
    }
  }
  if (text.size() > kTextBytesMax || !is_planned(text)) return {};
  if (!was_seen(key)) {
    note_seen(key, count_max);
    return {};
  }
  Entry* leaving = nullptr;
  if (entries_.size() >= count_max) {
    leaving = find_victim();
    if (leaving == nullptr) return {};
  }
  Entry& entry = entries_[key];
  entry.text_ = text;
  entry.types_.assign(types.begin(), types.end());
  entry.used_at_ = ++use_count_;
  const ContentHash hash(text, types);
  fmt::format_to_n(entry.name_.data(), entry.name_.size() - 1, "pgweir_{:016x}{:016x}",
                   hash.first(), hash.second());
  return {.entry = &entry, .prepares = true, .leaving = leaving};
}

void StatementCache::note_deallocated(Plan& plan) {
  if (plan.leaving == plan.entry) {
    plan.entry->state_ = Entry::State::Wanted;
  } else {
    erase(*plan.leaving);
  }
  plan.leaving = nullptr;
}

void StatementCache::note_prepared(const Plan& plan) {
  plan.entry->state_ = Entry::State::Prepared;
}

void StatementCache::note_not_done(Plan& plan) {
  if (plan.entry->state_ != Entry::State::Wanted) return;
  erase(*plan.entry);
  plan.entry = nullptr;
}

void StatementCache::note_unknown(Plan& plan) {
  if (plan.leaving != nullptr) plan.leaving->state_ = Entry::State::Unknown;
  if (plan.entry->state_ == Entry::State::Wanted) plan.entry->state_ = Entry::State::Unknown;
}

void StatementCache::note_outdated(const Plan& plan) {
  plan.entry->state_ = Entry::State::Outdated;
}

void StatementCache::clear() { entries_.clear(); }

// The least recently used that is known to be there.
StatementCache::Entry* StatementCache::find_victim() {
  Entry* victim = nullptr;
  for (auto& [key, entry] : entries_) {
    const bool is_there =
        entry.state_ == Entry::State::Prepared || entry.state_ == Entry::State::Outdated;
    if (is_there && (victim == nullptr || entry.used_at_ < victim->used_at_)) victim = &entry;
  }
  return victim;
}

void StatementCache::erase(const Entry& entry) {
  const auto place = entries_.find(key_of(entry.text_, entry.types_));
  ASSERT(place != entries_.end() && &place->second == &entry);
  entries_.erase(place);
}

bool StatementCache::was_seen(Key key) const {
  return std::find(seen_.begin(), seen_.end(), key) != seen_.end();
}

void StatementCache::note_seen(Key key, std::size_t count_max) {
  if (seen_.size() < count_max) return seen_.push_back(key);
  seen_[seen_next_ % seen_.size()] = key;
  ++seen_next_;
}

}  // namespace pgweir::client

// ParameterTable: sets of session parameters (GUCs), interned, so that "does this server have what
// this client wants" is a comparison of two numbers; and the SQL that leads from one set to
// another. It does not know how a parameter came to be set (parameter_tracker.h).
//
// Source of truth: PostgreSQL manual, "SET" and "Setting Parameters".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgweir::session {

// Names a set in its table; the default is the empty set: everything as a new server has it.
enum class ParameterSetId : std::uint32_t { Empty = 0 };

struct ParameterValue {
  std::string text;
  // true: source text of a SET, replayed as it was written (`a, "B", 'c'`). false: a plain value,
  // quoted when it is replayed.
  bool is_source = false;

  friend bool operator==(const ParameterValue&, const ParameterValue&) = default;
};

// Sorted by name; names in lower case except for the spellings that PostgreSQL reports (DateStyle,
// IntervalStyle, TimeZone).
using ParameterSet = std::vector<std::pair<std::string, ParameterValue>>;

// The spelling under which a parameter is kept, whatever its case was.
std::string canonical_name(std::string_view name);

class ParameterTable {
 public:
  ParameterTable();
  ParameterTable(const ParameterTable&) = delete;
  ParameterTable& operator=(const ParameterTable&) = delete;

  // Each returns a retained id: the caller releases it. The sets of ids that are retained stay.
  ParameterSetId intern(ParameterSet set);
  ParameterSetId with(ParameterSetId base, std::string_view name, ParameterValue value);
  ParameterSetId without(ParameterSetId base, std::string_view name);
  void retain(ParameterSetId id);
  void release(ParameterSetId id);

  const ParameterSet& at(ParameterSetId id) const;
  // nullptr: it is not in the set. The name is as it is kept …
  const ParameterValue* find(ParameterSetId id, std::string_view name) const;
  // … or as a server spells it.
  const ParameterValue* find_spelled(ParameterSetId id, std::string_view name) const;
  std::size_t size() const { return ids_.size(); }

  // Appends the statements that turn a server with `from` into one with `to`; nothing if they
  // agree.
  void append_difference(ParameterSetId from, ParameterSetId to, std::string& sql) const;

 private:
  struct Entry {
    ParameterSet set;
    std::uint32_t references = 0;
  };
  struct SetHash {
    std::size_t operator()(const ParameterSet* set) const;
  };
  struct SetEqual {
    bool operator()(const ParameterSet* a, const ParameterSet* b) const { return *a == *b; }
  };

  std::vector<std::unique_ptr<Entry>> entries_;  // By id; nullptr: free.
  std::vector<std::uint32_t> free_;
  std::unordered_map<const ParameterSet*, ParameterSetId, SetHash, SetEqual> ids_;
};

}  // namespace pgweir::session

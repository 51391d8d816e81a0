// NameMap: what a client's names of prepared statements stand for. Made for sessions that rest by
// the thousand: an entry is 8 bytes, all names lie in one block, neither has much room to spare,
// and an empty map owns nothing. Looking up allocates nothing. It knows no statement;
// prepared_statements.h does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pgweir::session {

enum class StatementId : std::uint32_t;

class NameMap {
 public:
  std::size_t size() const { return size_; }
  // StatementId::None: the name stands for nothing.
  StatementId find(std::string_view name) const;
  // REQUIRES: id is not None; the names together are below 4 GB.
  void set(std::string_view name, StatementId id);
  void erase(std::string_view name);
  // Gives the memory back.
  void clear() { *this = NameMap{}; }

  // In no order. The name is valid until the next change.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Entry& entry : entries_) {
      if (entry.is_taken()) visit(name_of(entry), entry.id);
    }
  }

 private:
  struct Entry {
    std::uint32_t offset = 0;  // Of the name's length in names_; the name follows it.
    StatementId id{};          // None: the place is free.
    bool is_taken() const { return id != StatementId{}; }
  };

  std::string_view name_of(const Entry& entry) const;
  // Where the search for a name begins. REQUIRES: there are places.
  std::size_t home_of(std::string_view name) const;
  std::size_t next(std::size_t place) const { return place + 1 == entries_.size() ? 0 : place + 1; }
  // How many steps of next() lead there.
  std::size_t steps(std::size_t from, std::size_t to) const {
    return to >= from ? to - from : to + entries_.size() - from;
  }
  // Where the name is, or the free place where it would be. REQUIRES: there is a free place.
  std::size_t place_of(std::string_view name) const;
  // Returns where in names_ it is.
  std::uint32_t append(std::string_view name);
  void rebuild(std::size_t capacity);

  std::vector<Entry> entries_;  // Open addressing with linear probing.
  std::vector<char> names_;
  std::uint32_t size_ = 0;
  std::uint32_t name_bytes_ = 0;  // Of names_, what is in use.
};

}  // namespace pgweir::session

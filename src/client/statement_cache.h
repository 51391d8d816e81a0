// StatementCache: which statements one server has prepared, under which names, and which are worth
// it: those that come a second time. The least recently used makes room. It sends nothing; whoever
// does says what came of it. A name is made of what it stands for: where a pooler puts another
// server behind the connection, the same name there means the same statement.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/libpq.h"

namespace pgweir::client {

class StatementCache {
 public:
  class Entry {
   public:
    // Ends with a NUL.
    const char* name() const { return name_.data(); }

   private:
    friend class StatementCache;
    enum class State : std::uint8_t {
      Wanted,    // Not there yet.
      Prepared,  // There.
      Outdated,  // There, and of no more use: what it brings would be of other types.
      Unknown,   // Perhaps there.
    };
    std::string text_;
    std::vector<Oid> types_;
    std::array<char, 40> name_{};
    State state_ = State::Wanted;
    std::uint64_t used_at_ = 0;
  };

  // What to send.
  struct Plan {
    Entry* entry = nullptr;    // The statement goes by that one's name; nullptr: by its text.
    bool prepares = false;     // It has to be prepared before …
    Entry* leaving = nullptr;  // … and this to be deallocated before that. It may be the same.
  };

  // For a statement that is sent now. count_max: how many may be prepared. Valid until it is noted
  // what came of it.
  Plan make_plan(std::string_view text, std::span<const Oid> types, std::size_t count_max);

  void note_deallocated(Plan& plan);
  void note_prepared(const Plan& plan);
  // The server goes on, and has done neither since.
  void note_not_done(Plan& plan);
  // Who knows what it has done. It is not tried again.
  void note_unknown(Plan& plan);
  void note_outdated(const Plan& plan);
  // Others have deallocated what was prepared, or it is another server.
  void clear();

  std::size_t size() const { return entries_.size(); }

 private:
  using Key = std::uint64_t;

  Entry* find_victim();
  void erase(const Entry& entry);
  bool was_seen(Key key) const;
  void note_seen(Key key, std::size_t count_max);

  std::unordered_map<Key, Entry> entries_;
  std::vector<Key> seen_;  // Once. A ring.
  std::size_t seen_next_ = 0;
  std::uint64_t use_count_ = 0;
};

// Whether PostgreSQL plans it. What it does not plan gains nothing from being prepared, and may not
// bear company in its round trip, as VACUUM.
bool is_planned(std::string_view text);

}  // namespace pgweir::client

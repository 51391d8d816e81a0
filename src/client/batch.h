// Batch: what goes to a server in one round trip for one call: what the server owes its last user,
// what has to be deallocated and prepared, and the call's own statements. It knows whose each
// result is, and tells the server's StatementCache what became of the rest. It sends nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "client/conversation.h"
#include "client/server.h"

namespace pgweir::client {

// What a statement failed for, apart from itself.
enum class Blame : std::uint8_t {
  None,
  Outdated,  // What was prepared does not fit the tables any more.
  Lost,      // What was prepared is gone, or a name was taken that nobody here has given.
};

class Batch {
 public:
  // A call's own statements at most.
  static constexpr std::size_t kOwnMax = 3;

  // prepared_max: how many statements the server may keep. The first of them that may_be_prepared
  // goes by its name if that is worth it. REQUIRES: what they borrow outlives the sending.
  Batch(Server& server, std::span<const Statement> own, std::size_t prepared_max);

  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::span<const Statement> statements() const { return {all_.data(), count_}; }
  // Whether one of them goes by a name.
  bool has_name() const { return plan_.entry != nullptr; }
  // Which of the call's own it is; nothing: it is none of them.
  std::optional<std::size_t> own_index(std::size_t index) const;

  void note_success(std::size_t index);
  Blame note_failure(std::size_t index, const PGresult* error);
  // Nothing more comes. is_known: what was neither a success nor a failure was not done.
  void note_end(bool is_known);

 private:
  void add(const Statement& statement) { all_[count_++] = statement; }
  void add_named(const Statement& own);
  StatementCache& cache() const { return server_.statements; }

  Server& server_;
  std::array<Statement, kOwnMax + 3> all_;
  std::size_t count_ = 0;
  std::size_t own_begin_ = 0;  // Behind a rollback.
  StatementCache::Plan plan_;
  std::string deallocate_;
  // Where they are, if anywhere.
  std::optional<std::size_t> deallocate_at_;
  std::optional<std::size_t> prepare_at_;
  std::optional<std::size_t> named_at_;
};

}  // namespace pgweir::client

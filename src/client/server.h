// Server: one PostgreSQL connection of a SharedPool, and who has it.
#pragma once

#include <cstdint>

#include "base/list.h"
#include "base/time.h"
#include "client/libpq.h"
#include "client/statement_cache.h"
#include "pgweir/code_location.hpp"
#include "pool/server.h"

namespace pgweir::client {

struct InOffers;

// Differs between any two threads that live at the same time.
inline const void* thread_token() {
  thread_local const char token = 0;
  return &token;
}

// What is noted of a lease while it lasts. Texts are borrowed: literals of the user's program.
struct LeaseNote {
  code_location where = {};
  const char* tag = nullptr;     // What the user calls it, or nullptr.
  base::Instant since = {};      // Coarse.
  const void* thread = nullptr;  // Which thread asked: thread_token().
  bool is_lasting = false;       // Meant to be held for long.
  bool is_reported = false;      // As held for too long.
};

class Server : public pool::Server, public base::ListHook<InOffers> {
 public:
  const LeaseNote& lease() const { return lease_; }

  // Whose turn it is: the thread that opens, closes or tidies it up, or that has the lease. Null
  // before its login and once it is being closed.
  Connection connection;
  // What is prepared on it.
  StatementCache statements;
  // The user has had the PGconn itself: what it was left like is not known.
  bool is_touched = false;
  // A transaction was left open: ROLLBACK goes ahead of whatever comes next.
  bool must_roll_back = false;

 private:
  friend class Roster;
  LeaseNote lease_;
  bool is_lent_ = false;  // Some thread has it.

  friend class SharedPool;
  std::uint32_t offer_count_ = 0;  // In a row, without asking the shard.
};

}  // namespace pgweir::client

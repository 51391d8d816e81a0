// Recovery: makes a server that came back in the middle of something fit for the next lease, on the
// maintenance thread: what runs is cancelled and read to its end, a transaction is rolled back, and
// a session that the user had in its own hands is reset. Within two seconds, or not at all.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/blocking_work.h"
#include "client/libpq.h"
#include "client/session_settings.h"
#include "loop/loop.h"

namespace pgweir::client {

// Whether the server can be lent as it is: nothing is under way and no transaction is open.
bool is_clean(const PGconn* connection);

// What came back.
struct LeftServer {
  PGconn* connection = nullptr;
  bool is_touched = false;  // The user had it in its own hands: it is reset.
  // What a session that was reset is told anew; outlives all this.
  const SessionSettings& session;
};

// Calls `done` once, from the loop's turn: whether the connection is clean now. The connection is
// the caller's, and left alone until then. work: for the cancel, which libpq can only do blocking.
// REQUIRES: called on the loop's thread.
void recover(const std::shared_ptr<loop::Loop>& loop, BlockingWork& work, const LeftServer& server,
             std::function<void(bool is_clean)> done);

}  // namespace pgweir::client

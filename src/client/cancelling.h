// Cancelling: asks PostgreSQL to give up what it does for a connection. It opens a connection of
// its own for that, blocks, and takes no slot (PostgreSQL 15 manual, section 34.7).
#pragma once

#include <functional>

#include "base/time.h"
#include "client/blocking_work.h"
#include "client/libpq.h"

namespace pgweir::client {

// Asks soon, on another thread. The answer, if any, comes by the connection that is cancelled.
// Until `over` is called, on that thread, the cancel may still be on its way: that connection is
// nobody else's yet. It is never called when the work was stopped.
void cancel(BlockingWork& work, PGconn* connection, std::function<void()> over);

// The same, and waits until it is over. False when it is not within that time.
bool cancel_and_wait(BlockingWork& work, PGconn* connection, base::Duration time_max);

}  // namespace pgweir::client

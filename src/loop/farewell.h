// Farewell: waits for the server's end of a connection that libpq has closed. Only that proves that
// the backend is gone and its slot free (design: "what counts"). libpq closes its descriptor
// without waiting, so the wait is on a duplicate.
#pragma once

#include <functional>

#include "base/time.h"
#include "loop/loop.h"

namespace pgweir::loop {

// Takes ownership of `descriptor`, a connected socket. Calls `ended` once: with true when the
// server closed in order, with false after a reset or when `patience` is over, when the backend
// may still be there. Never calls it from inside this call.
void await_end(Loop& loop, int descriptor, base::Duration patience,
               std::function<void(bool is_proven)> ended);

}  // namespace pgweir::loop

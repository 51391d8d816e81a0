// What libpq keeps of a program's wishes in its own handle, where no DISCARD ALL reaches it.
#pragma once

#include "client/libpq.h"

namespace pgweir::client {

// Sets the handle to the library's ways: nothing blocks, notices go nowhere, errors are as long as
// libpq has them by default, and nobody's FILE is written to. A null handle is left alone.
void set_up_handle(PGconn* handle);

}  // namespace pgweir::client

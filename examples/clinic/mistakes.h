// mistakes: the same service done wrong, for --broken: each request is one of the mistakes that
// empty a PostgreSQL of its connections, and pgweir's log names its line.
#pragma once

#include "http_server.h"

namespace clinic {

// By turns: a pool per request, a result without bounds, a transaction that is never ended. Any
// thread.
Response respond_badly(const Request& request);

}  // namespace clinic

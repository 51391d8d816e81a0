// violation(): the Error for bytes that break the protocol. The connection they came from cannot be
// trusted any more and is to be closed.
#pragma once

#include <string_view>

#include "base/result.h"

namespace pgweir::wire {

// `what` completes the sentence "The client broke the protocol: …".
base::Error violation(base::Side from, std::string_view what);

}  // namespace pgweir::wire

#include "wire/violation.h"

#include <string>

namespace pgweir::wire {

namespace {

std::string_view name_of(base::Side side) {
  switch (side) {
    case base::Side::Client: return "The client";
    case base::Side::Server: return "The server";
    case base::Side::Self: return "pgweir";
  }
  return "";
}

}  // namespace

base::Error violation(base::Side from, std::string_view what) {
  std::string context(name_of(from));
  context.append(" broke the protocol: ").append(what);
  return {.code = base::ErrorCode::ProtocolViolation, .side = from, .context = std::move(context)};
}

}  // namespace pgweir::wire

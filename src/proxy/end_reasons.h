// Why connections end, in the words of logs and metrics. What follows from an end is Leases'.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/io.h"
#include "pool/decision.h"

namespace pgweir::proxy {

enum class ClientEnd : std::uint8_t {
  Left,      // It sent Terminate: what it asked for is to be done, as PostgreSQL would.
  Vanished,  // It closed, or its connection broke.
  ProtocolViolation,
  ServerDied,
  Refused,
  IdleTransaction,
  Shutdown,
  Misused,  // It asked for what its pool mode does not allow.
  Overdue,  // One of the timeouts.
};

std::string_view to_text(ClientEnd reason);
std::string_view to_text(pool::CloseReason reason);
std::string_view to_text(base::CloseCause cause);

}  // namespace pgweir::proxy

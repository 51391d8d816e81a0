#include "proxy/end_reasons.h"

namespace pgweir::proxy {

std::string_view to_text(ClientEnd reason) {
  switch (reason) {
    case ClientEnd::Left: return "left";
    case ClientEnd::Vanished: return "vanished";
    case ClientEnd::ProtocolViolation: return "protocol_violation";
    case ClientEnd::ServerDied: return "server_died";
    case ClientEnd::Refused: return "refused";
    case ClientEnd::IdleTransaction: return "idle_transaction";
    case ClientEnd::Shutdown: return "shutdown";
    case ClientEnd::Misused: return "misused";
    case ClientEnd::Overdue: return "overdue";
  }
  return "left";
}

std::string_view to_text(pool::CloseReason reason) {
  switch (reason) {
    case pool::CloseReason::Idle: return "idle";
    case pool::CloseReason::Lifetime: return "lifetime";
    case pool::CloseReason::Evicted: return "evicted";
    case pool::CloseReason::Limit: return "limit";
    case pool::CloseReason::Recycled: return "recycled";
    case pool::CloseReason::Requested: return "requested";
  }
  return "requested";
}

std::string_view to_text(base::CloseCause cause) {
  switch (cause) {
    case base::CloseCause::Eof: return "eof";
    case base::CloseCause::Reset: return "reset";
    case base::CloseCause::Timeout: return "timeout";
    case base::CloseCause::ConnectFailed: return "connect_failed";
    case base::CloseCause::TlsFailed: return "tls_failed";
  }
  return "reset";
}

}  // namespace pgweir::proxy

// TLS on a reactor's connections: starting it, the handshake, and bytes through it.
#include "net/reactor.h"

namespace pgweir::net {

void Reactor::start_tls(base::ConnectionId id, const base::TlsRequest& /*request*/) {
  Connection* connection = find_live(id);
  if (connection == nullptr) return;
  connection->phase = Phase::Handshaking;
  serve_later(*connection);
}

void Reactor::continue_handshake(Connection& connection) {
  end(connection, base::CloseCause::TlsFailed, "no certificate is set up for TLS");
}

}  // namespace pgweir::net

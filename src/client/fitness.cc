#include "client/fitness.h"

#include <sys/socket.h>

#include <cerrno>

#include "client/clock.h"
#include "client/conversation.h"

namespace pgweir::client {
namespace {

// A server that was in use so recently is believed to be there.
constexpr base::Duration kBelievedFor = std::chrono::seconds(1);

// Bytes, or the end of the stream. Costs no round trip.
bool has_input(const Server& server) {
  char byte = 0;
  const int flags = MSG_PEEK | MSG_DONTWAIT;
  return ::recv(PQsocket(server.connection.get()), &byte, 1, flags) >= 0 || errno != EAGAIN;
}

// Something was said to nobody: NOTIFY, a changed parameter, or a FATAL with the end behind it.
bool survives_input(Server& server) {
  if (PQconsumeInput(server.connection.get()) == 0) return false;
  while (PGnotify* dropped = PQnotifies(server.connection.get())) PQfreemem(dropped);
  return PQstatus(server.connection.get()) == CONNECTION_OK && !has_input(server);
}

}  // namespace

// PostgreSQL that has ended it meanwhile has left its last words there, or the end of the stream.
Fitness look_at(Server& server, base::Duration ping_idle_after) {
  if (PQstatus(server.connection.get()) != CONNECTION_OK) return Fitness::Unfit;
  const base::Duration rest = server.lease().since - server.idle_since();
  if (rest < kBelievedFor) return Fitness::Fit;
  if (has_input(server) && !survives_input(server)) return Fitness::Unfit;
  const bool is_known = ping_idle_after == base::Duration::zero() || rest < ping_idle_after;
  return is_known ? Fitness::Fit : Fitness::Unknown;
}

// A firewall that has forgotten the connection, or a host that is gone, sends nothing to peek at.
bool answers(Server& server, base::Duration time_max) {
  Result answer;
  const Waited waited = converse(server.connection.get(), {.text = "select 1"},
                                 {.deadline = precise_now() + time_max}, answer);
  if (waited != Waited::Ready) cut_off(server.connection.get());
  return waited == Waited::Ready && PQresultStatus(answer.get()) == PGRES_TUPLES_OK;
}

}  // namespace pgweir::client

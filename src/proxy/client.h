// Client: what the Relay keeps of one logged-in client. Data only; the rules are in the parts of
// the Relay (requests.h, replies.h, leases.h). An idle one owns no buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_queue.h"
#include "base/ids.h"
#include "pool/waiter.h"
#include "proxy/client_session.h"
#include "proxy/seating.h"
#include "session/parameters.h"

namespace pgweir::proxy {

struct Route;
struct Server;

struct Client final : pool::Waiter {
  base::ConnectionId id{};
  Route* route = nullptr;
  Server* server = nullptr;  // Leased to it; a server is leased to at most one client.

  base::ByteQueue inbox;         // From the client, not yet taken: part of a message, or it waits.
  base::ByteQueue outbox;        // For the client, not yet taken by its socket.
  std::size_t inbox_wanted = 0;  // No use in looking at the inbox before it has so many bytes.

  // The rest of the message that is passing through: forwarded or dropped.
  std::uint32_t skip_bytes = 0;
  bool is_skip_forwarded = false;

  bool needs_welcome = false;  // Logged in, but the route knows no server's parameters yet.
  bool is_settling = false;    // Waits until its parameters have proved valid on the server.
  bool awaits_quiet = false;   // Waits until the server owes nothing: what it has is being changed.
  bool skips_to_sync = false;  // Refused in mid-batch: all is dropped up to Sync.
  bool is_paused = false;      // We do not read from it.
  bool is_ending = false;      // It has gone; what it sent before that is being read.
  bool is_served = false;      // Inside Requests: not to be resumed from within.

  std::uint32_t cancel_secret = 0;
  base::Instant connected_at;
  base::Instant last_request;
  base::Instant leased_at;  // While `server` is set.

  session::ParameterSetId parameters{};    // As committed; what a server must have for it.
  std::unique_ptr<ClientSession> session;  // Allocated with the first statement or SET.

  std::string peer;
  std::string application_name;
  Seats seats;
};

}  // namespace pgweir::proxy

// Sending: how bytes leave the Relay: at once where the socket takes them, else through the
// connection's outbox, and then the other side is not read until there is room again. It never
// drops and never reorders.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "proxy/batch.h"
#include "proxy/relay_state.h"

namespace pgweir::proxy {

// Above so much unsent, the source of the bytes is paused; it may exceed this by what one read
// brings.
inline constexpr std::size_t kOutboxBytesHigh = 64 * 1024;

void send_to_client(RelayState& state, Client& client, base::Bytes head, base::Bytes tail = {});
void send_to_server(RelayState& state, Server& server, base::Bytes head, base::Bytes tail = {});

// A statement of our own; its answers are nobody else's. It destroys the unnamed statement.
void ask_server(RelayState& state, Server& server, std::string_view sql, base::Instant now);

// Counts and logs an error of our own. send_error() sends it, too.
void note_error(RelayState& state, const Client& client, const wire::Report& report);
void send_error(RelayState& state, Client& client, const wire::Report& report);

// The socket takes bytes again: what waited goes out first, then the paused side is read again.
// Returns whether the outbox is empty now.
bool drain_to_client(RelayState& state, Client& client);
bool drain_to_server(RelayState& state, Server& server);

}  // namespace pgweir::proxy

// Server: what the Relay keeps of one server connection. Data only; the rules are in the parts of
// the Relay (requests.h, replies.h, leases.h, recovery.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_queue.h"
#include "base/ids.h"
#include "base/io.h"
#include "pool/server.h"
#include "proxy/parcels.h"
#include "session/parameters.h"
#include "session/prepared_statements.h"
#include "session/query_cycle.h"

namespace pgweir::proxy {

struct Client;
struct Route;

struct Server final : pool::Server {
  explicit Server(session::StatementTable& table) : statements(table) {}

  // How it will have spelled a parameter once it has taken it, unless it reports another value.
  struct Presumption {
    std::string name;
    std::string asked;
    std::string reported;
  };
  // What it is doing when no client drives it.
  enum class Phase : std::uint8_t {
    Connecting,   // Login has it.
    Serving,      // Idle in the pool, or driven by its client.
    Recovering,   // Its client has gone: cancel, discard, roll back.
    Resetting,    // DISCARD ALL is under way.
    Asking,       // A statement of the control thread runs.
    Terminating,  // Terminate was sent, or is due; its end is awaited.
  };

  ServerToken token{};
  base::ConnectionId id = base::ConnectionId::None;
  Route* route = nullptr;
  Client* client = nullptr;
  Phase phase = Phase::Connecting;

  session::QueryCycle cycle;
  session::ServerStatements statements;
  session::ParameterSetId parameters{};     // As they are on the server.
  bool needs_reset = false;                 // Session state of a client may be left on it.
  bool needs_close = false;                 // It cannot be proved clean any more.
  base::ConnectionId last_client{};         // Which had it last, or has it.
  bool follows_another = false;             // Sequences may be where other clients put them.
  bool has_doubtful_seed = false;           // Its client may have set the seed of random().
  bool has_said_goodbye = false;            // It sent a FATAL: its end follows.
  bool is_finishing = false;                // Its client said good-bye: what runs is to end.
  bool is_inquired = false;                 // It is asked what is left of its client's session.
  bool is_cut = false;                      // It got a part of a message; the rest never comes.
  std::vector<Presumption> presumptions;    // While its client settles.
  std::optional<wire::Report> own_failure;  // The error that something of ours got.

  base::ByteQueue outbox;   // For the server, not yet taken by its socket.
  base::ByteQueue partial;  // From the server: a message that must be seen whole and is not yet.
  std::uint32_t skip_bytes = 0;    // The rest of the message that is passing through …
  bool is_skip_forwarded = false;  // … forwarded to the client or dropped.
  bool is_paused = false;          // We do not read from it: its client is slow.

  // At most one at a time; the server is not lent before it is over.
  bool is_cancel_under_way = false;
  bool is_cancel_wanted_again = false;  // Somebody asked for one meanwhile.
  bool is_cancel_owed = false;          // One was asked for while it did something of ours.
  std::size_t owed_when_cancelled = 0;  // How many answers, when the last one was sent.
  std::vector<base::ConnectionId> cancel_askers;  // Whom to tell when it is over.
  std::uint64_t discarded_bytes = 0;              // In Phase::Recovering.
  base::Instant phase_since;
  base::Instant last_activity;              // Bytes in either direction.
  base::Instant busy_since = base::kNever;  // Since when its client awaits an answer.

  // The beginning of the text that it runs, for whoever asks who holds the servers.
  std::array<char, 160> statement{};
  std::uint8_t statement_bytes = 0;

  // Whether its client has got a part of a message, and the rest is to follow.
  bool is_passing_message() const { return skip_bytes != 0 && is_skip_forwarded; }

  base::Endpoint endpoint;
  bool is_secured = false;
  wire::CancelKey cancel_key;
};

}  // namespace pgweir::proxy

// Parcels: what Login, Relay and the control thread tell each other. Each is a value that changes
// hands once; a connection may travel with it (base::Io::hand_over). No rule lives here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/io.h"
#include "budget/limits.h"
#include "pool/exchange.h"
#include "pool/server.h"
#include "proxy/options.h"
#include "proxy/seating.h"
#include "session/parameters.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::proxy {

// Names one server of a Relay across threads: it stays the same while the server moves from
// Connecting (owned by Login's half) to open. A server that goes to another Relay has another one
// there.
enum class ServerToken : std::uint64_t {};
constexpr ServerToken make_server_token(pool::ReactorIndex relay, std::uint64_t number) {
  return ServerToken{std::uint64_t{relay} << 56U | number};
}
// Whose server it is: where what Login and the control thread find out about it goes.
constexpr base::Mailbox mailbox_of(ServerToken token) {
  return base::Mailbox::relay(static_cast<std::uint32_t>(static_cast<std::uint64_t>(token) >> 56U));
}

// Who a client proved to be, and what it asked for when it connected.
struct Identity {
  std::string database;  // As the client named it.
  std::string user;
  std::string peer;             // Address, for humans.
  wire::Parameters parameters;  // The StartupMessage without user, database and protocol options.
  bool is_secured = false;
  Seats seats;
};

// Login → Relay, with the connection: authenticated, and still to be told so.
struct ClientReady : base::Parcel {
  Identity identity;
  // AuthenticationOk and what goes before it: it leaves in one send with what the client is told
  // next.
  base::ByteBuffer verdict;
};

// What a server login needs to know. Shared by all logins of one pool.
struct ServerPlan {
  DatabaseOptions database;
  std::string server_database;  // What the server calls it.
  std::string user;             // Whom we log in as.
  base::Secret secret;          // Plain, md5… or empty.
};

// Relay → Login: log in to a server.
struct OpenServer : base::Parcel {
  ServerToken token{};
  std::shared_ptr<const ServerPlan> plan;
};

// Login → Relay, with the connection: a server, idle after its login.
struct ServerReady : base::Parcel {
  ServerToken token{};
  base::Endpoint endpoint;
  bool is_secured = false;
  wire::Parameters reported;
  wire::CancelKey cancel_key;
  base::ByteBuffer rest;  // What it has said since: a notice, or why it ends already.
};

// Login → Relay: no server came of it.
struct ServerFailed : base::Parcel {
  ServerToken token{};
  wire::Report report;        // The server's own words, or ours if it said none.
  bool is_permanent = false;  // Waiting does not help: wrong password, no such database, bad TLS.
  bool is_ended = true;  // The server's end of the connection was seen, or there never was one.
};

// Who has a server, as far as others of its pool may know.
struct Holder {
  std::string client;  // Name and address, printable.
  std::string doing;
  base::Instant since;
  std::string statement;  // Without literals; may be empty.
};

// Relay → Relay: somebody waits for a server of this pool; who has those that you have?
struct HoldersAsked : base::Parcel {
  pool::ReactorIndex from = 0;
  pool::LevelId pool_level{};
};
// All who have servers, on one Relay or on several.
struct HolderCounts {
  std::vector<Holder> longest;       // Oldest first; only those that may find room in a text.
  std::uint32_t holder_count = 0;    // All of this pool …
  std::uint32_t stranger_count = 0;  // … and of others.
  std::uint32_t open_count = 0;      // Servers of this pool that nobody has included.
  std::uint32_t waiting_count = 0;   // Its clients that wait.
};
// Relay → Relay.
struct HoldersTold : base::Parcel {
  pool::ReactorIndex from = 0;
  pool::LevelId pool_level{};
  HolderCounts counts;
};

// Relay → Relay, with the connection: a server that is idle and clean, and its permits.
struct ServerGiven : base::Parcel {
  struct Prepared {
    std::string name;  // As the server knows it.
    std::string query;
    base::ByteBuffer types;
    std::string reading;
    bool is_retired = false;  // Nobody is to use it; its name is taken all the same.
  };

  pool::ReactorIndex from = 0;
  std::uint32_t reload_count = 0;  // Of the sender: under which configuration it was opened.
  pool::LevelId pool_level{};      // Which pool it belongs to, on every reactor.
  std::shared_ptr<const ServerPlan> plan;  // By which it was opened.
  pool::Tenure tenure;
  base::Endpoint endpoint;
  bool is_secured = false;
  wire::CancelKey cancel_key;
  base::Instant last_activity;
  bool has_doubtful_seed = false;
  session::ParameterSet parameters;  // As they are on it …
  // … and, where it spells one otherwise than it was asked for: name, asked, reported.
  std::vector<std::array<std::string, 3>> spellings;
  std::vector<Prepared> statements;  // Least recently used first.
  wire::Parameters reported;         // By servers of its pool, and when one last said so.
  base::Instant reported_at;
};

// Login → Relay: somebody who knows this key wants its query cancelled.
struct CancelAsked : base::Parcel {
  wire::CancelKey key;
  base::ConnectionId asker{};  // Login's connection that waits for CancelAnswered.
};
// Relay → Login: the cancel has taken effect, or there was nothing to cancel.
struct CancelAnswered : base::Parcel {
  base::ConnectionId asker{};
};

// Relay → Login: deliver a CancelRequest to a server.
struct DeliverCancel : base::Parcel {
  ServerToken token{};
  std::shared_ptr<const ServerPlan> plan;
  base::Endpoint endpoint;  // Where the server that runs the query is.
  bool is_secured = false;  // Its connection is encrypted: so is the cancel's.
  wire::CancelKey key;
};
// Login → Relay: the cancel is over. is_confirmed: the server closed that connection, as it does
// once the signal is sent; otherwise the cancel may still strike, and its server is not to be lent.
struct CancelDelivered : base::Parcel {
  ServerToken token{};
  bool is_confirmed = false;
};

// Relay → Control: a server ended without proof. Answered by ServerGone once no backend has the
// pid.
struct ServerLost : base::Parcel {
  ServerToken token{};
  std::uint32_t pid = 0;
  std::string node;
};
// Control → Relay.
struct ServerGone : base::Parcel {
  ServerToken token{};
};

// Control → Login: where a host name leads now; empty = not to be found, `problem` says why.
struct AddressesFound : base::Parcel {
  std::string host;
  std::vector<std::string> addresses;
  std::string problem;
};

// Control → Login: the server at this IP address and port is behind a Unix socket as well, which
// has been proved; or with an empty path: not any more.
struct UnixSocketFound : base::Parcel {
  std::string address;
  std::uint16_t port = 0;
  std::string path;
};

// Control → Relay: how many connections this process may hold to the server.
struct LimitChanged : base::Parcel {
  std::string node;  // As node_name() in proxy/route.h.
  budget::Limits limits;
  std::uint64_t version = 0;  // Of those of the node; a later one is larger.
};

// Whether clients may speak TLS to us, and whether they must; not on Unix sockets, as in PgBouncer.
struct LoginTls {
  bool is_offered = false;
  bool is_required = false;
};

// Control → Login and Relay: a new configuration is in force.
struct OptionsChanged : base::Parcel {
  std::shared_ptr<const Options> options;
  LoginTls client_tls;
  // Those of nodes that it names first, and of others (Routes).
  std::map<std::string, budget::Limits> limits;
};

// Control → Login: take no new clients. Control → Relay: let the clients go; `is_now`: at once.
struct Drain : base::Parcel {
  bool is_now = false;
};
// Relay → Control: the last client has gone.
struct Drained : base::Parcel {
  bool is_clean = false;  // No transaction had to be cut.
};

// Relay → Control: a backend with this pid is ours now, or is not any more.
struct BackendChanged : base::Parcel {
  std::string node;  // As node_name() in proxy/route.h.
  std::uint32_t pid = 0;
  bool is_ours = false;
};

// Relay → Control: from now on there are clients, or there are none (told within a sweep); or they
// are at rest: none has asked for anything, nor come or gone, for some seconds.
struct ClientsChanged : base::Parcel {
  pool::ReactorIndex relay = 0;
  bool has_clients = false;
  bool are_at_rest = false;
};

// Control or Relay → Relay: permits that the pools may want were returned by somebody else, or
// another Relay asks for a server (pool::Wake).
struct PermitsFreed : base::Parcel {};

enum class ErrandId : std::uint64_t {};

// Control → Relay: run this on a server of a pool, before all waiters. A Relay without one passes
// it on; when none has one, the pool's home opens it.
struct RunErrand : base::Parcel {
  ErrandId id{};
  std::string database;            // Its entry in the configuration.
  std::string user;                // Whom the server knows us as.
  std::string sql;                 // One statement, without parameters.
  base::Duration time_max{};       // Waiting included.
  std::uint32_t relays_asked = 0;  // Those that had nothing to run it on.
};

// Relay → Control. Each RunErrand is answered once, unless the process ends.
struct ErrandDone : base::Parcel {
  using Row = std::vector<std::optional<std::string>>;

  ErrandId id{};
  std::vector<Row> rows;
  std::uint32_t pid = 0;                // Of the server that ran it.
  std::optional<wire::Report> failure;  // It did not run, or not to its end; or else …
  bool is_crowded_out = false;          // … the servers were busy for all that time.
};

// Relay → Control: a server said that it has too many clients; look again at what is free.
struct ServerFull : base::Parcel {
  std::string node;
};

}  // namespace pgweir::proxy

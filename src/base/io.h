// Io and Handler: the seam between the deterministic core and the world. The core (proxy/) asks
// things of an Io and is told things as a Handler; `net` implements Io on epoll, the simulator
// implements it with virtual time and seeded faults. Nothing here knows PostgreSQL.
//
// Rules of the seam:
// * One Io and its Handler belong to one thread. Every call returns at once.
// * An Io never calls its Handler from inside one of its own calls: what follows from a call is
//   told later. The core may therefore change its state before or after a call, as it likes.
// * After handle_closed, or after the core's own close(), the id is dead: no further event
//   for it arrives, and calls that name it do nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace pgweir::base {

// How a connection is protected. `peer_certificate` fields are filled when the peer sent one.
struct TlsInfo {
  std::string version;  // "TLSv1.3".
  std::string cipher;
  std::string peer_common_name;      // Subject CN of a verified peer certificate, else empty.
  std::string alpn;                  // Protocol chosen by ALPN, else empty.
  ByteBuffer peer_certificate_hash;  // tls-server-end-point binding data (RFC 5929), servers only.
  ByteBuffer own_certificate_hash;   // The same of the certificate that we showed a client.
};

// Who connected to us.
struct PeerAddress {
  std::string text;                // "192.0.2.7:51712", "[::1]:51712" or "unix:4711" (pid).
  bool is_unix = false;            // A Unix socket: local, and safe for cleartext passwords.
  std::uint32_t uid = UINT32_MAX;  // Peer credentials of a Unix socket.
};

// Where to connect to. Names are resolved before they get here; `host` is for SNI and verify-full.
struct Endpoint {
  // An IP address literal, or the path of a Unix socket ("/…/.s.PGSQL.5432", "@…" if abstract).
  std::string address;
  std::uint16_t port = 5432;  // Unused for a Unix socket.
  std::string host;           // The name that the user wrote.
  bool is_unix() const {
    return !address.empty() && (address.front() == '/' || address.front() == '@');
  }
};

// What the shell has prepared for handshakes of one kind: certificates, trust, versions. Nobody
// else looks inside; whoever holds it may use it, whatever a reload has made of the options since.
class TlsSetup {
 public:
  TlsSetup() = default;
  TlsSetup(const TlsSetup&) = delete;
  TlsSetup& operator=(const TlsSetup&) = delete;
  virtual ~TlsSetup() = default;
};

// Which end of a TLS handshake to play, and with what.
struct TlsRequest {
  enum class Role { Accept, Connect };
  Role role = Role::Accept;
  std::shared_ptr<const TlsSetup> setup = {};  // Connect only; an Accept has the shell's own.
  std::string host;        // Connect: name for SNI and, where the setup verifies it, for that.
  bool is_direct = false;  // Direct TLS: ALPN "postgresql" is required.
};

// Why a connection ended. Only Eof from a server proves that its backend is gone.
enum class CloseCause : std::uint8_t {
  Eof,            // The peer closed in order; all it sent has been delivered.
  Reset,          // Connection reset or another error while open.
  Timeout,        // Keepalive or user timeout: the peer is silent.
  ConnectFailed,  // open() came to nothing; `detail` says why.
  TlsFailed,      // The handshake failed; `detail` says why.
};

// A value on its way from one half of the core to another, possibly with a connection (hand_over).
class Parcel {
 public:
  Parcel() = default;
  Parcel(const Parcel&) = delete;
  Parcel& operator=(const Parcel&) = delete;
  virtual ~Parcel() = default;
};

// Which part of the process a parcel is for. There may be several relays, counted from 0.
struct Mailbox {
  enum class Part : std::uint8_t { Login, Relay, Control };
  static const Mailbox Login;    // NOLINT(readability-identifier-naming): as its Part is called.
  static const Mailbox Control;  // NOLINT(readability-identifier-naming)
  static constexpr Mailbox relay(std::uint32_t index) { return {Part::Relay, index}; }

  Part part = Part::Login;
  std::uint32_t index = 0;
};
inline constexpr Mailbox Mailbox::Login{Part::Login, 0};
inline constexpr Mailbox Mailbox::Control{Part::Control, 0};

class Io {
 public:
  virtual ~Io() = default;

  // Offers bytes to the socket and returns how many it took, head first. When that is fewer than
  // all, handle_writable follows once there is room. Errors surface as handle_closed.
  // An empty offer is a question: 1 while the peer, as far as a peek at the socket can tell, has
  // neither ended the connection nor sent anything that is still unread, else 0. It is the proof
  // that a statement may be tried on another server: nothing of it has left yet.
  virtual std::size_t try_send(ConnectionId id, Bytes head, Bytes tail = {}) = 0;

  // Stops and restarts the delivery of bytes; the end of the connection is told all the same while
  // paused, unless bytes are still unread before it: then handle_ending says so, and Eof follows
  // them.
  virtual void pause(ConnectionId id) = 0;
  virtual void resume(ConnectionId id) = 0;

  // Starts to connect; handle_opened or handle_closed follows.
  virtual ConnectionId open(const Endpoint& endpoint) = 0;

  // Starts a handshake on a connection whose plaintext was wholly consumed; bytes that arrived
  // before the call and were not delivered belong to the handshake. handle_secured or handle_closed
  // follows. Where TLS is or is being spoken already it does nothing.
  virtual void start_tls(ConnectionId id, const TlsRequest& request) = 0;

  // Ends a connection of ours. What try_send took still reaches the peer (FIN after it, then a
  // short linger); the id is dead at once.
  virtual void close(ConnectionId id) = 0;

  // Sends a parcel to another part, with the connection `id` (which is dead here from then on, and
  // arrives there under a new id with unread bytes kept), or ConnectionId::None.
  virtual void hand_over(ConnectionId id, Mailbox to, std::unique_ptr<Parcel> parcel) = 0;

  // handle_wake at or soon after `when`; a later call replaces an earlier one, kNever cancels.
  virtual void wake_at(Instant when) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;

  // A client connected; only where the Io listens.
  virtual void handle_accepted(ConnectionId id, const PeerAddress& peer, Instant now) = 0;
  // open() succeeded: the socket is connected.
  virtual void handle_opened(ConnectionId id, Instant now) = 0;
  // start_tls() succeeded, or an accepted client began with TLS on its own (direct TLS), which the
  // Io accepts by itself; either way no bytes were told before.
  virtual void handle_secured(ConnectionId id, const TlsInfo& tls, Instant now) = 0;
  // Bytes arrived, decrypted. The span lives until the call returns; the core takes all of it.
  virtual void handle_bytes(ConnectionId id, Bytes bytes, Instant now) = 0;
  // The peer has ended a paused connection; what is unread before that end comes after resume().
  // Told once.
  virtual void handle_ending(ConnectionId, Instant) {}
  // A socket that had refused bytes takes some again.
  virtual void handle_writable(ConnectionId id, Instant now) = 0;
  // The connection ended from the other side; `detail` is for humans and may be empty.
  virtual void handle_closed(ConnectionId id, CloseCause cause, std::string_view detail,
                             Instant now) = 0;
  // A parcel from another part; `id` is the connection that came with it, or None.
  virtual void handle_parcel(ConnectionId id, std::unique_ptr<Parcel> parcel, Instant now) = 0;
  // The time asked for by wake_at has come.
  virtual void handle_wake(Instant now) = 0;
};

}  // namespace pgweir::base

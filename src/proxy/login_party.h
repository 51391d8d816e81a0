// LoginParty: one connection on its way through Login, and LoginDesk, what Login lends to it. The
// kinds are ClientLogin, ServerLogin and CancelDelivery; each knows one way through and no other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "auth/credential.h"
#include "auth/salted_password_cache.h"
#include "base/entropy.h"
#include "base/io.h"
#include "obs/log.h"
#include "proxy/address_book.h"
#include "proxy/options.h"
#include "proxy/placement.h"
#include "proxy/seating.h"
#include "wire/report.h"

namespace pgweir::proxy {

// What both halves of the core read and count, from two threads.
struct SharedCounts {
  std::atomic<std::uint32_t> client_count{0};  // Logged in or logging in.
};

class LoginParty {
 public:
  LoginParty() = default;
  LoginParty(const LoginParty&) = delete;
  LoginParty& operator=(const LoginParty&) = delete;
  virtual ~LoginParty() = default;

  virtual void handle_opened(base::Instant) {}
  virtual void handle_secured(const base::TlsInfo&, base::Instant) {}
  virtual void handle_bytes(base::Bytes bytes, base::Instant now) = 0;
  virtual void handle_writable(base::Instant) {}
  virtual void handle_closed(base::CloseCause cause, std::string_view detail,
                             base::Instant now) = 0;
  virtual void handle_deadline(base::Instant now) = 0;
};

class LoginDesk {
 public:
  virtual ~LoginDesk() = default;

  virtual base::Io& io() = 0;
  virtual obs::Log& log() = 0;
  virtual base::Entropy& entropy() = 0;
  virtual const Options& options() const = 0;
  virtual const AddressBook& addresses() const = 0;
  // A login that failed over the Unix socket in front of this endpoint has come about over it.
  virtual void give_up_unix_socket(const base::Endpoint& behind, const wire::Report& why) = 0;
  virtual SharedCounts& counts() = 0;
  // Which Relay a client goes to.
  virtual Placement& placement() = 0;
  // Of clients: by database and by user.
  virtual Seating& database_seating() = 0;
  virtual Seating& user_seating() = 0;
  // Whether the shell has a certificate.
  virtual bool has_client_tls() const = 0;
  // Whether nobody comes in over TCP without it.
  virtual bool needs_client_tls() const = 0;
  // Hashed passwords, so that a burst of logins costs one PBKDF2: of clients and of servers.
  virtual auth::SaltedPasswordCache& client_passwords() = 0;
  virtual auth::SaltedPasswordCache& server_passwords() = 0;
  // A secret of the process for the mock exchanges of unknown users.
  virtual const base::Secret& mock_secret() const = 0;
  // What is stored about a user of options().users, read once for all its logins.
  virtual std::shared_ptr<const auth::Credential> credential_of(const UserOptions& user) = 0;

  // Events of `id` go to this party from now on.
  virtual void attach(base::ConnectionId id, std::shared_ptr<LoginParty> party,
                      base::Instant deadline) = 0;
  // Replaces the one deadline of a connection.
  virtual void set_deadline(base::ConnectionId id, base::Instant deadline) = 0;
  // No further events of `id`; the party ends once the current call returns and nobody holds it.
  virtual void detach(base::ConnectionId id) = 0;
};

}  // namespace pgweir::proxy

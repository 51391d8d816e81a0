// Login: the half of the core that brings connections in. It accepts clients and takes them through
// TLS and authentication, logs in to servers, delivers cancel requests, and hands what is finished
// to the Relay. It never runs a query and never decides how many servers there are.
//
// A connect storm is met here, on a thread of its own, and does not move the latency of clients
// that are logged in.
#pragma once

#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/login_party.h"
#include "proxy/parcels.h"

namespace pgweir::proxy {

class Login final : public base::Handler, private LoginDesk {
 public:
  // Everything is borrowed and outlives the Login.
  Login(base::Io& io, base::Entropy& entropy, obs::Log& log, SharedCounts& counts,
        Placement& placement, std::shared_ptr<const Options> options, LoginTls tls);

  void handle_accepted(base::ConnectionId id, const base::PeerAddress& peer,
                       base::Instant now) override;
  void handle_opened(base::ConnectionId id, base::Instant now) override;
  void handle_secured(base::ConnectionId id, const base::TlsInfo& tls, base::Instant now) override;
  void handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) override;
  void handle_writable(base::ConnectionId id, base::Instant now) override;
  void handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view detail,
                     base::Instant now) override;
  void handle_parcel(base::ConnectionId id, std::unique_ptr<base::Parcel> parcel,
                     base::Instant now) override;
  void handle_wake(base::Instant now) override;

  std::size_t party_count() const { return parties_.size(); }

 private:
  struct Entry {
    std::shared_ptr<LoginParty> party;
    base::Instant deadline;
  };

  base::Io& io() override { return io_; }
  obs::Log& log() override { return log_; }
  base::Entropy& entropy() override { return entropy_; }
  const Options& options() const override { return *options_; }
  const AddressBook& addresses() const override { return addresses_; }
  void give_up_unix_socket(const base::Endpoint& behind, const wire::Report& why) override;
  SharedCounts& counts() override { return counts_; }
  Placement& placement() override { return placement_; }
  Seating& database_seating() override { return database_seating_; }
  Seating& user_seating() override { return user_seating_; }
  bool has_client_tls() const override { return tls_.is_offered; }
  bool needs_client_tls() const override { return tls_.is_required; }
  auth::SaltedPasswordCache& client_passwords() override { return client_passwords_; }
  auth::SaltedPasswordCache& server_passwords() override { return server_passwords_; }
  const base::Secret& mock_secret() const override { return mock_secret_; }
  std::shared_ptr<const auth::Credential> credential_of(const UserOptions& user) override;
  void attach(base::ConnectionId id, std::shared_ptr<LoginParty> party,
              base::Instant deadline) override;
  void set_deadline(base::ConnectionId id, base::Instant deadline) override;
  void detach(base::ConnectionId id) override;

  // Held by the caller during a call, so that a party may detach itself in it.
  std::shared_ptr<LoginParty> find(base::ConnectionId id) const;
  void schedule();

  base::Io& io_;
  base::Entropy& entropy_;
  obs::Log& log_;
  SharedCounts& counts_;
  Placement& placement_;
  std::shared_ptr<const Options> options_;
  LoginTls tls_;
  base::Secret mock_secret_;
  std::vector<std::shared_ptr<const auth::Credential>> credentials_;  // As options_->users.
  Seating database_seating_;
  Seating user_seating_;
  auth::SaltedPasswordCache client_passwords_;
  auth::SaltedPasswordCache server_passwords_;
  AddressBook addresses_;
  std::unordered_map<base::ConnectionId, Entry> parties_;
  std::set<std::pair<base::Instant, base::ConnectionId>> deadlines_;
  base::Instant wake_ = base::kNever;  // As last asked for.
  std::size_t turn_ = 0;               // Rotates the hosts of databases that share the load.
  bool is_draining_ = false;
};

}  // namespace pgweir::proxy

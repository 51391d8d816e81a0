#include "proxy/login.h"

#include <array>

#include "proxy/cancel_delivery.h"
#include "proxy/client_login.h"
#include "proxy/events.h"
#include "proxy/server_login.h"

namespace pgweir::proxy {
namespace {

base::Secret random_secret(base::Entropy& entropy) {
  std::array<std::byte, 32> random{};
  entropy.fill(random);
  base::Secret secret(base::as_text(random));
  auth::wipe(random);
  return secret;
}

}  // namespace

// It is joined from what others own: seven parameters.
// NOLINTNEXTLINE(readability-function-size)
Login::Login(base::Io& io, base::Entropy& entropy, obs::Log& log, SharedCounts& counts,
             Placement& placement, std::shared_ptr<const Options> options, LoginTls tls)
    : io_(io),
      entropy_(entropy),
      log_(log),
      counts_(counts),
      placement_(placement),
      options_(std::move(options)),
      tls_(tls),
      mock_secret_(random_secret(entropy)),
      credentials_(options_->users.size()) {}

void Login::handle_accepted(base::ConnectionId id, const base::PeerAddress& peer,
                            base::Instant now) {
  if (is_draining_) {
    io_.close(id);
    return;
  }
  LoginDesk& desk = *this;
  auto party = std::make_shared<ClientLogin>(desk, id, peer);
  attach(id, std::move(party), deadline(now, options_->client_login_timeout));
  schedule();
}

void Login::handle_opened(base::ConnectionId id, base::Instant now) {
  if (const auto party = find(id)) party->handle_opened(now);
  schedule();
}

void Login::handle_secured(base::ConnectionId id, const base::TlsInfo& tls, base::Instant now) {
  if (const auto party = find(id)) party->handle_secured(tls, now);
  schedule();
}

void Login::handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) {
  if (const auto party = find(id)) party->handle_bytes(bytes, now);
  schedule();
}

void Login::handle_writable(base::ConnectionId id, base::Instant now) {
  if (const auto party = find(id)) party->handle_writable(now);
  schedule();
}

void Login::handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view detail,
                          base::Instant now) {
  if (const auto party = find(id)) {
    detach(id);
    party->handle_closed(cause, detail, now);
  }
  schedule();
}

void Login::handle_parcel(base::ConnectionId, std::unique_ptr<base::Parcel> parcel,
                          base::Instant now) {
  if (auto* open = dynamic_cast<OpenServer*>(parcel.get())) {
    ServerLogin::start(*this, open->token, std::move(open->plan), turn_++, now);
  } else if (auto* cancel = dynamic_cast<DeliverCancel*>(parcel.get())) {
    CancelDelivery::start(*this, *cancel, now);
  } else if (const auto* answered = dynamic_cast<CancelAnswered*>(parcel.get())) {
    if (find(answered->asker) != nullptr) {
      detach(answered->asker);
      io_.close(answered->asker);
    }
  } else if (auto* found = dynamic_cast<AddressesFound*>(parcel.get())) {
    addresses_.set(found->host, std::move(found->addresses), std::move(found->problem));
  } else if (auto* socket = dynamic_cast<UnixSocketFound*>(parcel.get())) {
    addresses_.set_unix_socket(socket->address, socket->port, std::move(socket->path));
  } else if (auto* changed = dynamic_cast<OptionsChanged*>(parcel.get())) {
    options_ = std::move(changed->options);
    credentials_.assign(options_->users.size(), nullptr);
    tls_ = changed->client_tls;
  } else if (dynamic_cast<Drain*>(parcel.get()) != nullptr) {
    is_draining_ = true;
  }
  schedule();
}

void Login::handle_wake(base::Instant now) {
  wake_ = base::kNever;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const base::ConnectionId id = deadlines_.begin()->second;
    set_deadline(id, base::kNever);
    find(id)->handle_deadline(now);
  }
  schedule();
}

std::shared_ptr<const auth::Credential> Login::credential_of(const UserOptions& user) {
  auto& known = credentials_.at(static_cast<std::size_t>(&user - options_->users.data()));
  if (known == nullptr) {
    known = std::make_shared<const auth::Credential>(auth::parse_credential(user.secret.reveal()));
  }
  return known;
}

void Login::give_up_unix_socket(const base::Endpoint& behind, const wire::Report& why) {
  if (!addresses_.give_up_unix_socket(behind.address, behind.port)) return;
  log_.event(kUnixSocketGivenUp,
             {obs::kv("sqlstate", std::string_view(why.sqlstate)),
              obs::kv("server", std::string_view(behind.address)), obs::kv("port", behind.port),
              obs::kv("problem", std::string_view(why.message))});
}

void Login::attach(base::ConnectionId id, std::shared_ptr<LoginParty> party,
                   base::Instant deadline) {
  const bool is_new = parties_.emplace(id, Entry{std::move(party), deadline}).second;
  ASSERT(is_new);
  if (deadline != base::kNever) deadlines_.emplace(deadline, id);
}

void Login::set_deadline(base::ConnectionId id, base::Instant deadline) {
  const auto entry = parties_.find(id);
  if (entry == parties_.end()) return;
  deadlines_.erase({entry->second.deadline, id});
  entry->second.deadline = deadline;
  if (deadline != base::kNever) deadlines_.emplace(deadline, id);
}

void Login::detach(base::ConnectionId id) {
  set_deadline(id, base::kNever);
  parties_.erase(id);
}

std::shared_ptr<LoginParty> Login::find(base::ConnectionId id) const {
  const auto entry = parties_.find(id);
  return entry == parties_.end() ? nullptr : entry->second.party;
}

// One wake-up, for the nearest deadline, asked for only when it changes.
void Login::schedule() {
  const base::Instant next = deadlines_.empty() ? base::kNever : deadlines_.begin()->first;
  if (next == wake_) return;
  wake_ = next;
  io_.wake_at(next);
}

}  // namespace pgweir::proxy

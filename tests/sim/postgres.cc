#include "sim/postgres.h"

#include <algorithm>
#include <vector>

#include "wire/sqlstate.h"

namespace pgweir::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

Postgres::Postgres(World& world, Ledger& ledger, auth::SaltedPasswordCache& passwords,
                   PostgresOptions options)
    : world_(world), ledger_(ledger), passwords_(passwords), options_(std::move(options)) {}

bool Postgres::accept(const std::shared_ptr<Link>& link) {
  if (world_.now() < starts_at_) return false;
  auto backend = std::make_shared<Backend>(static_cast<Host&>(*this), link, ++last_pid_);
  backends_.emplace(backend->pid(), backend);
  backend->start();
  return true;
}

std::optional<wire::Report> Postgres::enter(Backend& backend) {
  if (world_.now() < is_back_at_) {
    return wire::Report{.severity = "FATAL",
                        .sqlstate = std::string(wire::sqlstate::kCannotConnectNow),
                        .message = "the database system is starting up"};
  }
  if (slot_count_ == options_.connection_count_max) {
    ++refused_count_;
    return wire::Report{.severity = "FATAL",
                        .sqlstate = std::string(wire::sqlstate::kTooManyConnections),
                        .message = "sorry, too many clients already"};
  }
  ++slot_count_;
  backend.has_slot = true;
  world_.say(backend.describe() + " for " + backend.user() + " on " + backend.database());
  return std::nullopt;
}

void Postgres::handle_exit(Backend& backend) {
  if (backend.has_slot) --slot_count_;
  backends_.erase(backend.pid());
}

void Postgres::cancel(const wire::CancelKey& key) {
  const auto backend = backends_.find(key.pid);
  if (backend == backends_.end() ||
      base::load_u32(key.secret.data()) != backend->second->secret()) {
    return;
  }
  world_.say(backend->second->describe() + " is cancelled");
  backend->second->interrupt();
}

auth::ClientAuthOptions Postgres::auth_options(const std::string& user) {
  auth::ClientAuthOptions options;
  options.method = options_.asks_password ? auth::Method::ScramSha256 : auth::Method::Trust;
  options.user = user;
  options.credential = std::make_shared<const auth::Credential>(auth::parse_credential(kPassword));
  for (std::byte& b : options.nonce) b = std::byte(world_.rng().below(256));
  static const base::Secret kProcessSecret("of the simulated server");
  options.process_secret = &kProcessSecret;
  options.cache = &passwords_;
  return options;
}

void Postgres::crash(bool is_abrupt) {
  world_.say("the server at " + options_.address + " goes down");
  std::vector<std::shared_ptr<Backend>> all;
  for (const auto& [pid, backend] : backends_) all.push_back(backend);
  for (const auto& backend : all) {
    if (is_abrupt) {
      backend->crash();
    } else {
      backend->terminate(wire::sqlstate::kAdminShutdown, "terminating connection");
    }
  }
  starts_at_ = world_.now() + world_.between(milliseconds(5), seconds(2));
  is_back_at_ = starts_at_ + world_.between(milliseconds(0), seconds(1));
}

std::shared_ptr<Backend> Postgres::any_backend() const {
  if (backends_.empty()) return nullptr;
  auto at = backends_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(world_.rng().below(backends_.size())));
  return at->second;
}

void Postgres::terminate_one() {
  if (const std::shared_ptr<Backend> backend = any_backend()) end(backend->pid(), false);
}

void Postgres::end(std::uint32_t pid, bool is_abrupt) {
  const auto at = backends_.find(pid);
  if (at == backends_.end()) return;
  const std::shared_ptr<Backend> backend = at->second;
  if (is_abrupt) return backend->crash();
  backend->terminate(wire::sqlstate::kAdminShutdown,
                     "terminating connection due to administrator command");
}

void Postgres::mutter() {
  if (const std::shared_ptr<Backend> backend = any_backend()) backend->mutter();
}

std::size_t Postgres::backend_count(std::string_view user, std::string_view database) const {
  return static_cast<std::size_t>(
      std::count_if(backends_.begin(), backends_.end(), [&](const auto& entry) {
        const Backend& backend = *entry.second;
        return backend.has_slot && (user.empty() || backend.user() == user) &&
               (database.empty() || backend.database() == database);
      }));
}

bool Postgres::has_rested(std::string_view user, std::string_view database,
                          base::Instant since) const {
  return std::any_of(backends_.begin(), backends_.end(), [&](const auto& entry) {
    const Backend& backend = *entry.second;
    return backend.user() == user && backend.database() == database &&
           backend.rests_since() <= since;
  });
}

bool Postgres::has_backend(std::uint32_t pid) const { return backends_.contains(pid); }

bool Postgres::is_at_rest(std::string& why) const {
  for (const auto& [pid, backend] : backends_) {
    if (backend->is_at_rest()) continue;
    why = backend->describe() + " of " + options_.address + " is not at rest";
    return false;
  }
  return true;
}

}  // namespace pgweir::sim

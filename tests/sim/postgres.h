// Postgres: one simulated PostgreSQL server: it accepts connections, keeps count of its backends
// against max_connections, delivers cancels, crashes and comes back. What a backend does is
// backend.h.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "auth/salted_password_cache.h"
#include "sim/backend.h"

namespace pgweir::sim {

struct PostgresOptions {
  std::string address;  // "10.0.0.1"
  std::size_t connection_count_max = 10;
  bool asks_password = false;  // SCRAM-SHA-256, else trust.
};
inline constexpr std::string_view kPassword = "swordfish";  // Of every user.

class Postgres final : private Host {
 public:
  Postgres(World& world, Ledger& ledger, auth::SaltedPasswordCache& passwords,
           PostgresOptions options);

  // False while it is down.
  bool accept(const std::shared_ptr<Link>& link);
  // Ends all backends, abruptly or with 57P01, and takes no connection for a while.
  void crash(bool is_abrupt);
  void terminate_one();
  // The same for this backend, abruptly or not, if it is there.
  void end(std::uint32_t pid, bool is_abrupt);
  // One of its backends says something that nobody has asked for.
  void mutter();

  const std::string& address() const { return options_.address; }
  // Backends that hold a slot: logging in, in a session or on their way out.
  std::size_t backend_count() const { return slot_count_; }
  std::size_t backend_count(std::string_view user, std::string_view database) const;
  bool has_backend(std::uint32_t pid) const;
  // Each backend is idle and nobody's; says which one is not.
  bool is_at_rest(std::string& why) const;
  // Whether one of them has rested since then at the latest.
  bool has_rested(std::string_view user, std::string_view database, base::Instant since) const;
  std::size_t refused_count() const { return refused_count_; }

 private:
  std::shared_ptr<Backend> any_backend() const;
  World& world() override { return world_; }
  Ledger& ledger() override { return ledger_; }
  std::optional<wire::Report> enter(Backend& backend) override;
  void handle_exit(Backend& backend) override;
  void cancel(const wire::CancelKey& key) override;
  auth::ClientAuthOptions auth_options(const std::string& user) override;

  World& world_;
  Ledger& ledger_;
  auth::SaltedPasswordCache& passwords_;
  const PostgresOptions options_;
  std::map<std::uint32_t, std::shared_ptr<Backend>> backends_;  // By pid.
  std::uint32_t last_pid_ = 1000;
  std::size_t slot_count_ = 0;
  std::size_t refused_count_ = 0;
  base::Instant starts_at_{};
  base::Instant is_back_at_{};
};

}  // namespace pgweir::sim

// SaltedPasswordCache: remembers what deriving SCRAM keys from a password yielded, so that two
// hundred logins cost one PBKDF2. It belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "auth/scram_verifier.h"

namespace pgweir::auth {

class SaltedPasswordCache {
 public:
  // entry_count_max: above it the entry that was used longest ago goes. REQUIRES: > 0.
  explicit SaltedPasswordCache(std::size_t entry_count_max = 256);

  // The keys, derived only if they are not known yet; what was derived is kept.
  ScramKeys derive(const base::Secret& password, base::Bytes salt, std::uint32_t iterations);

  // The parts of derive(), for a password that must first prove right before it is kept: a guesser
  // should not push good entries out.
  std::optional<ScramKeys> find(const base::Secret& password, base::Bytes salt,
                                std::uint32_t iterations);
  void store(const base::Secret& password, base::Bytes salt, std::uint32_t iterations,
             const ScramKeys& keys);

  std::size_t entry_count() const { return entries_.size(); }

 private:
  struct Entry {
    ScramKeys keys;
    std::uint64_t used_at = 0;  // Value of uses_ when last used.
  };

  std::size_t entry_count_max_;
  std::uint64_t uses_ = 0;
  std::map<Digest, Entry> entries_;  // By a hash over password, salt and iterations.
};

}  // namespace pgweir::auth

// SaltedPasswordCache: remembers what deriving SCRAM keys from a password yielded, so that two
// hundred logins cost one PBKDF2. It belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

  using Judge = std::function<bool(const ScramKeys&)>;
  // The keys if the judge takes them, else nullopt. Only keys that proved right are kept and spare
  // a derivation: whoever is wrong costs one each time, so that neither the time it takes tells who
  // is known here or was lately, nor can a guesser push good entries out.
  std::optional<ScramKeys> prove(const base::Secret& password, base::Bytes salt,
                                 std::uint32_t iterations, const Judge& is_right);

  std::size_t entry_count() const { return entries_.size(); }
  std::uint64_t derivation_count() const { return derivation_count_; }

 private:
  struct Entry {
    ScramKeys keys;
    std::uint64_t used_at = 0;  // Value of uses_ when last used.
  };

  ScramKeys derive_anew(const base::Secret& password, base::Bytes salt, std::uint32_t iterations);
  std::optional<ScramKeys> find(const Digest& key);
  void store(const Digest& key, const ScramKeys& keys);

  std::size_t entry_count_max_;
  std::uint64_t derivation_count_ = 0;
  std::uint64_t uses_ = 0;
  std::map<Digest, Entry> entries_;  // By a hash over password, salt and iterations.
};

}  // namespace pgweir::auth

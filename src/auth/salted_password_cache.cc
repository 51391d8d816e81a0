#include "auth/salted_password_cache.h"

#include <algorithm>

#include "base/assert.h"

namespace pgweir::auth {

namespace {

// The user's name is no part of it: the keys do not depend on it. The salt keeps this from being a
// bare hash of the password.
Digest key_of(const base::Secret& password, base::Bytes salt, std::uint32_t iterations) {
  base::ByteBuffer input;
  // Reserved in full, so that no half of the password stays behind in a buffer that was outgrown.
  input.reserve(8 + salt.size() + password.reveal().size());
  base::ByteWriter writer(input);
  writer.u32(iterations);
  writer.u32(static_cast<std::uint32_t>(salt.size()));
  writer.bytes(salt);
  writer.text(password.reveal());
  const Digest key = sha256(input);
  wipe(input);
  return key;
}

}  // namespace

SaltedPasswordCache::SaltedPasswordCache(std::size_t entry_count_max)
    : entry_count_max_(entry_count_max) {
  ASSERT(entry_count_max > 0);
}

ScramKeys SaltedPasswordCache::derive(const base::Secret& password, base::Bytes salt,
                                      std::uint32_t iterations) {
  const Digest key = key_of(password, salt, iterations);
  if (const auto known = find(key)) return *known;
  const ScramKeys keys = derive_anew(password, salt, iterations);
  store(key, keys);
  return keys;
}

std::optional<ScramKeys> SaltedPasswordCache::prove(const base::Secret& password, base::Bytes salt,
                                                    std::uint32_t iterations,
                                                    const Judge& is_right) {
  const Digest key = key_of(password, salt, iterations);
  if (auto known = find(key); known.has_value() && is_right(*known)) return known;
  const ScramKeys keys = derive_anew(password, salt, iterations);
  if (!is_right(keys)) return std::nullopt;
  store(key, keys);
  return keys;
}

ScramKeys SaltedPasswordCache::derive_anew(const base::Secret& password, base::Bytes salt,
                                           std::uint32_t iterations) {
  ++derivation_count_;
  return derive_scram_keys(password, salt, iterations);
}

std::optional<ScramKeys> SaltedPasswordCache::find(const Digest& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  found->second.used_at = ++uses_;
  return found->second.keys;
}

void SaltedPasswordCache::store(const Digest& key, const ScramKeys& keys) {
  if (entries_.size() == entry_count_max_ && !entries_.contains(key)) {
    // A scan of a few hundred entries is nothing beside the derivation that led here.
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.used_at < b.second.used_at;
    }));
  }
  entries_.insert_or_assign(key, Entry{.keys = keys, .used_at = ++uses_});
}

}  // namespace pgweir::auth

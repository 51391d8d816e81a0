// Limits: how many connections this process may hold to one server, and of these with each role and
// in each database that PostgreSQL holds to a limit of its own. A value; who computes it is
// allowance.h.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "pool/options.h"

namespace pgweir::budget {

// Whom a connection logs in as, and where to; names as the server knows them.
struct Login {
  std::string role;
  std::string database;

  friend bool operator==(const Login&, const Login&) = default;
};

struct Limits {
  std::uint32_t server = pool::kUnlimited;
  std::map<std::string, std::uint32_t, std::less<>> roles = {};
  std::map<std::string, std::uint32_t, std::less<>> databases = {};
  // Of every role and every database that is not named.
  std::uint32_t unnamed = pool::kUnlimited;

  std::uint32_t of_role(std::string_view name) const;
  std::uint32_t of_database(std::string_view name) const;

  friend bool operator==(const Limits&, const Limits&) = default;
};

// The most connections that these logins may have together.
std::uint32_t most_of(const Limits& limits, std::span<const Login> logins);

}  // namespace pgweir::budget

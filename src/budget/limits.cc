#include "budget/limits.h"

#include <algorithm>
#include <set>

namespace pgweir::budget {
namespace {

using Named = std::map<std::string, std::uint32_t, std::less<>>;

std::uint32_t find(const Named& limits, std::string_view name, std::uint32_t unnamed) {
  const auto found = limits.find(name);
  return found == limits.end() ? unnamed : found->second;
}

// Stays at kUnlimited once it is there.
std::uint32_t add(std::uint32_t a, std::uint32_t b) {
  return a > pool::kUnlimited - b ? pool::kUnlimited : a + b;
}

}  // namespace

std::uint32_t Limits::of_role(std::string_view name) const { return find(roles, name, unnamed); }

std::uint32_t Limits::of_database(std::string_view name) const {
  return find(databases, name, unnamed);
}

std::uint32_t most_of(const Limits& limits, std::span<const Login> logins) {
  std::set<std::string_view> roles;
  std::set<std::string_view> databases;
  std::uint32_t of_roles = 0;
  std::uint32_t of_databases = 0;
  for (const Login& login : logins) {
    if (roles.insert(login.role).second) of_roles = add(of_roles, limits.of_role(login.role));
    if (databases.insert(login.database).second)
      of_databases = add(of_databases, limits.of_database(login.database));
  }
  return logins.empty() ? limits.server : std::min({limits.server, of_roles, of_databases});
}

}  // namespace pgweir::budget

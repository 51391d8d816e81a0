#include "server/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pgweir::server {
namespace {

base::Error cannot_become(const std::string& user, std::string_view why) {
  return {.code = base::ErrorCode::Configuration,
          .side = base::Side::Self,
          .context =
              fmt::format("cannot run as \"{}\" (run_as, in pgbouncer.ini user): {}", user, why)};
}

}  // namespace

base::Status become(const std::string& user) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return cannot_become(user, "there is no such user");
  if (::geteuid() == entry->pw_uid) return base::success();
  if (::geteuid() != 0) return cannot_become(user, "only root may become somebody else");
  // The groups first: afterwards we may not.
  if (::initgroups(user.c_str(), entry->pw_gid) != 0 || ::setgid(entry->pw_gid) != 0 ||
      ::setuid(entry->pw_uid) != 0) {
    return cannot_become(user, std::strerror(errno));
  }
  return base::success();
}

}  // namespace pgweir::server

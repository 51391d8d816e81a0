#include "server/state_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace pgweir::server {
namespace {

std::string choose(const std::string& configured) {
  if (!configured.empty()) return configured;
  if (const char* given = std::getenv("STATE_DIRECTORY"); given != nullptr && *given != '\0') {
    // systemd separates several by colons; the first is the unit's own.
    return std::string(given).substr(0, std::string_view(given).find(':'));
  }
  if (const char* home = std::getenv("XDG_STATE_HOME"); home != nullptr && *home != '\0') {
    return std::string(home) + "/pgweir";
  }
  return ".pgweir";
}

}  // namespace

base::Result<std::string> ensure_state_directory(const std::string& configured) {
  const std::string directory = choose(configured);
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(directory, error);
  if (error) {
    return base::Error{.code = base::ErrorCode::System,
                       .side = base::Side::Self,
                       .context = fmt::format("cannot make the state directory \"{}\": {}; name "
                                              "another one with state_dir",
                                              directory, error.message())};
  }
  if (is_new) ::chmod(directory.c_str(), 0700);
  return directory;
}

}  // namespace pgweir::server

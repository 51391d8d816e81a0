#include "server/pid_file.h"

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

namespace pgweir::server {
namespace {

// 0: there is none.
pid_t read_pid(const std::string& path) {
  pid_t pid = 0;
  std::ifstream(path) >> pid;
  return pid > 0 ? pid : 0;
}

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

}  // namespace

base::Status PidFile::write(const std::string& path) {
  const pid_t other = read_pid(path);
  if (other != 0 && other != ::getpid() && is_alive(other)) {
    return base::Error{.code = base::ErrorCode::System,
                       .side = base::Side::Self,
                       .context = fmt::format("process {} is running and has the pidfile \"{}\"; "
                                              "end it first, or name another file",
                                              other, path)};
  }
  std::ofstream file(path, std::ios::trunc);
  file << ::getpid() << '\n' << std::flush;
  if (!file) {
    return base::Error{
        .code = base::ErrorCode::Configuration,
        .side = base::Side::Self,
        .context = fmt::format("cannot write the pidfile \"{}\": {}", path, std::strerror(errno))};
  }
  path_ = path;
  return base::success();
}

PidFile::~PidFile() {
  if (!path_.empty() && read_pid(path_) == ::getpid()) ::unlink(path_.c_str());
}

}  // namespace pgweir::server

// PidFile: says by a file which process serves, for scripts that want to signal it (pidfile).
#pragma once

#include <string>

#include "base/result.h"

namespace pgweir::server {

class PidFile {
 public:
  PidFile() = default;
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  // Removes the file, if it still is ours.
  ~PidFile();

  // Writes this process's id. One that a dead process left is replaced.
  // Errors: Configuration, when it cannot be written; System, when a living process has it.
  base::Status write(const std::string& path);

 private:
  std::string path_;
};

}  // namespace pgweir::server

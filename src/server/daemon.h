// Daemon: the process that serves: it makes the reactors, the control thread and the gateway of one
// configuration, joins them, and takes them down in order. It has no rule of its own.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "config/config.h"
#include "config/load.h"

namespace pgweir::server {

struct DaemonOptions {
  std::shared_ptr<const config::Config> config;
  // Reads the configuration anew, for SIGHUP.
  std::function<config::LoadResult()> reload;
  // Where the start message goes; called once.
  std::function<void(const std::string&)> say;
};

// Serves until a signal ends it. Returns the exit status: 0 when every client could finish.
// Errors: what keeps it from starting, with what to do about it.
base::Result<int> run_daemon(const DaemonOptions& options);

}  // namespace pgweir::server

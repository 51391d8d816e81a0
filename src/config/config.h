// Config: the whole configuration of a daemon, complete and consistent. It is made by load.h, never
// changed afterwards, and held as shared_ptr<const Config> by whoever needs it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "budget/options.h"
#include "config/document.h"
#include "config/options.h"
#include "config/report.h"
#include "proxy/options.h"

namespace pgweir::config {

// Which settings were written, and where. The key is Setting::name.
using Origins = std::map<std::string_view, Place>;

struct Config {
  proxy::Options proxy;
  proxy::DatabaseOptions database_defaults;  // What every database entry starts from.
  budget::Options budget;
  ListenOptions listen;
  ClientTlsOptions client_tls;
  HttpOptions http;
  TcpOptions tcp;
  DnsOptions dns;
  LogOptions log;
  ProcessOptions process;
  LibraryOptions library;

  Syntax defaults = Syntax::Toml;  // Whose defaults hold where nothing was written.

  // What pgweir does where that may surprise; for the log at start and for `pgweir check`.
  std::vector<Note> notes;

  Origins origins;                                  // Of settings for the whole process.
  std::map<std::string, Origins> database_origins;  // By name of the database …
  std::map<std::string, Origins> user_origins;      // … and of the user.
};

}  // namespace pgweir::config

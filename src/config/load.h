// Load: everything that a user said, from everywhere, becomes one Config or a list of all mistakes.
// It opens no file and reads no environment: the shell passes in what they hold.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/document.h"
#include "config/ini.h"

namespace pgweir::config {

// The file of --config. Its ending decides: ".ini" is PgBouncer's, all else is TOML.
struct ConfigFile {
  std::string path;
  std::string contents;
};

// Later ones win: file, DATABASE_URL, environment, options of the command line. Where the file
// names databases, DATABASE_URL is not used at all, and a note says so.
struct Sources {
  std::optional<ConfigFile> file = {};
  std::optional<std::string> database_url = {};
  // Pairs of the environment; only names that begin with PGWEIR_ matter: PGWEIR_POOL_MODE is the
  // setting pool_mode in the words of pgweir.toml.
  std::vector<std::pair<std::string, std::string>> environment = {};
  // Options of the command line by name, without dashes: {"listen", "127.0.0.1:6432"}, {"http", …};
  // other names are settings in the words of pgweir.toml.
  std::vector<std::pair<std::string, std::string>> options = {};
  FileReader reader = {};  // For auth_file and %include. REQUIRES: set if there is a file.
};

struct LoadResult {
  std::optional<Config> config;   // Only without a mistake.
  std::vector<Mistake> mistakes;  // All of them, in the order of the sources.
  std::vector<Note> notes;        // Also in Config::notes; here even when there are mistakes.
};

LoadResult load(const Sources& sources);

}  // namespace pgweir::config

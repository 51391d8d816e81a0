// CommandLine: what the words behind `pgweir` mean. Which settings there are is config/settings.h.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"

namespace pgweir::cli {

enum class Command { Serve, Check, Config };

struct CommandLine {
  Command command = Command::Serve;
  std::string config_file;
  std::vector<std::pair<std::string, std::string>> options;  // For config::Sources.
};

// nullopt: nothing is to be done but to leave with `exit_status` (help was shown, or a mistake
// was).
struct ParsedLine {
  std::optional<CommandLine> line;
  int exit_status = 0;
};
ParsedLine parse_command_line(int argc, const char* const* argv);

// Everything that was said to us, read: the file, DATABASE_URL, PGWEIR_*. The file's own trouble is
// a mistake among the others.
config::LoadResult load_configuration(const CommandLine& line);

}  // namespace pgweir::cli

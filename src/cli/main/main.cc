// pgweir: keeps a PostgreSQL server from running out of connections.
#include "cli/command_line.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  const pgweir::cli::ParsedLine parsed = pgweir::cli::parse_command_line(argc, argv);
  if (!parsed.line) return parsed.exit_status;
  switch (parsed.line->command) {
    case pgweir::cli::Command::Serve: return pgweir::cli::serve(*parsed.line);
    case pgweir::cli::Command::Check: return pgweir::cli::check(*parsed.line);
    case pgweir::cli::Command::Config: return pgweir::cli::show_config(*parsed.line);
  }
  return 1;
}

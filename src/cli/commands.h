// The commands of the program `pgweir`: what each does with a loaded configuration, and its exit
// status: 0 well, 1 otherwise. The command line itself is cli/command_line.h.
#pragma once

#include "cli/command_line.h"

namespace pgweir::cli {

int serve(const CommandLine& line);
int check(const CommandLine& line);
int show_config(const CommandLine& line);

}  // namespace pgweir::cli

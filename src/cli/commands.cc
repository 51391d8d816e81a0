#include "cli/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "config/effective.h"
#include "control/check.h"
#include "server/daemon.h"

namespace pgweir::cli {
namespace {

constexpr int kUsage = 2;

void complain(const config::LoadResult& loaded) {
  for (const config::Mistake& mistake : loaded.mistakes) {
    fmt::print(stderr, "pgweir: {}\n", mistake.line());
  }
}

}  // namespace

int serve(const CommandLine& line) {
  config::LoadResult loaded = load_configuration(line);
  if (!loaded.config) {
    complain(loaded);
    return kUsage;
  }
  const server::DaemonOptions options{
      .config = std::make_shared<const config::Config>(std::move(*loaded.config)),
      .reload = [&line] { return load_configuration(line); },
      .say =
          [](const std::string& text) {
            fmt::print("{}", text);
            std::fflush(stdout);
          }};
  const auto status = server::run_daemon(options);
  if (status) return *status;
  fmt::print(stderr, "pgweir: {}\n", status.error().context);
  return status.error().code == base::ErrorCode::Configuration ? kUsage : 1;
}

int check(const CommandLine& line) {
  const config::LoadResult loaded = load_configuration(line);
  if (!loaded.config) {
    complain(loaded);
    return kUsage;
  }
  const auto report = control::run_check(loaded.config->proxy, loaded.config->budget);
  if (!report) {
    fmt::print(stderr, "pgweir: {}\n", report.error().context);
    return 1;
  }
  fmt::print("{}", control::render(*report));
  for (const config::Note& note : loaded.notes) fmt::print("Note: {}\n", note.line());
  return report->is_ok() ? 0 : 1;
}

int show_config(const CommandLine& line) {
  const config::LoadResult loaded = load_configuration(line);
  if (!loaded.config) {
    complain(loaded);
    return kUsage;
  }
  fmt::print("{}", config::render_effective(*loaded.config));
  // Apart, so that the table can be read by a program.
  for (const config::Note& note : loaded.notes) fmt::print(stderr, "Note: {}\n", note.line());
  return 0;
}

}  // namespace pgweir::cli

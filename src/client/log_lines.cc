#include "client/log_lines.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "client/clock.h"

namespace pgweir::client {
namespace {

log_level to_public(obs::Level level) {
  switch (level) {
    case obs::Level::Debug: return log_level::debug;
    case obs::Level::Info: return log_level::info;
    case obs::Level::Warning: return log_level::warning;
    case obs::Level::Error: return log_level::error;
  }
  return log_level::error;
}

obs::Options options_for(std::string_view wanted) {
  for (const obs::Level level :
       {obs::Level::Debug, obs::Level::Info, obs::Level::Warning, obs::Level::Error}) {
    if (wanted == to_text(level)) return {.level = level};
  }
  return {.level = obs::Level::Warning};
}

}  // namespace

LogLines::LogLines(log_function function, const char* wanted)
    : function_(std::move(function)),
      is_off_(wanted != nullptr && std::string_view(wanted) == "off"),
      log_(*this, {.now = coarse_now}, options_for(wanted == nullptr ? "" : wanted)) {}

void LogLines::write(obs::Level level, std::string_view line) {
  if (is_off_) return;
  if (function_) return function_(to_public(level), line);
  // One call, so that the lines of threads do not mix.
  const std::string whole = fmt::format("pgweir: {}\n", line);
  static_cast<void>(::write(STDERR_FILENO, whole.data(), whole.size()) < 0);
}

std::string text_of(const code_location& where) {
  return fmt::format("{}:{}", where.file, where.line);
}

}  // namespace pgweir::client

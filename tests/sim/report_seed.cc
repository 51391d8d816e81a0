#include "sim/report_seed.h"

#include <unistd.h>

#include <csignal>
#include <cstddef>

// Sanitizers are to abort, so that the seed is told. They call these by name, if they are there.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }
extern "C" const char* __tsan_default_options() { return "abort_on_error=1"; }
// NOLINTEND(readability-identifier-naming)

namespace pgweir::sim {
namespace {

// Written out beforehand: a signal handler may not format.
char line[160];
std::size_t line_bytes = 0;

void append(const char* text) {
  while (*text != '\0') line[line_bytes++] = *text++;
}

void append(std::uint64_t number) {
  char digits[20];
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count > 0) line[line_bytes++] = digits[--count];
}

void handle_abort(int signal) {
  if (write(STDERR_FILENO, line, line_bytes) < 0) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void set_current_seed(std::uint64_t seed) {
  line_bytes = 0;
  append("simulation failed: seed ");
  append(seed);
  append("; replay: build/dev/pgweir_sim --seed ");
  append(seed);
  append(" --verbose\n");
}

void report_seed_on_abort() { std::signal(SIGABRT, handle_abort); }

}  // namespace pgweir::sim

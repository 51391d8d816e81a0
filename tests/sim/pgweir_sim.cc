// pgweir_sim: runs simulations from the command line, for longer than the tests do.
//
//   pgweir_sim --seeds 100000            seeds 1 to 100000
//   pgweir_sim --seeds 1000 --first 5001
//   pgweir_sim --seed 42 --verbose       one seed, and the whole story
//
// Exit 0: nothing was found; 2: the arguments make no sense. A seed that fails aborts.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sim/report_seed.h"
#include "sim/simulation.h"

namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t count = 2000;
  bool is_verbose = false;
};

bool parse(int count, char** texts, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view name = texts[i];
    if (name == "--verbose") {
      arguments.is_verbose = true;
      continue;
    }
    if (i + 1 == count) return false;
    const std::uint64_t value = std::strtoull(texts[++i], nullptr, 10);
    if (name == "--seeds") {
      arguments.count = value;
    } else if (name == "--first") {
      arguments.first = value;
    } else if (name == "--seed") {
      arguments.first = value;
      arguments.count = 1;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int count, char** texts) {
  Arguments arguments;
  if (!parse(count, texts, arguments)) {
    std::fputs("usage: pgweir_sim [--seeds N] [--first SEED] [--seed SEED] [--verbose]\n", stderr);
    return 2;
  }
  pgweir::sim::report_seed_on_abort();
  std::uint64_t event_count = 0;
  std::uint64_t stop_count = 0;
  pgweir::base::Duration worst{};
  std::uint64_t answered_count = 0;
  for (std::uint64_t i = 0; i < arguments.count; ++i) {
    pgweir::sim::set_current_seed(arguments.first + i);
    const auto outcome = pgweir::sim::simulate(arguments.first + i, arguments.is_verbose);
    event_count += outcome.event_count;
    stop_count += outcome.stop_count;
    worst = std::max(worst, outcome.worst_overtaking);
    answered_count += outcome.answered_count;
    if ((i + 1) % 1000 == 0 || i + 1 == arguments.count) {
      std::printf("%llu seeds, %llu events, %llu stops, %llu units answered; %.2f ms overtaken\n",
                  static_cast<unsigned long long>(i) + 1,
                  static_cast<unsigned long long>(event_count),
                  static_cast<unsigned long long>(stop_count),
                  static_cast<unsigned long long>(answered_count),
                  std::chrono::duration<double, std::milli>(worst).count());
      std::fflush(stdout);
    }
  }
  return 0;
}

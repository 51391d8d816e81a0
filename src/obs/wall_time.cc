#include "obs/wall_time.h"

#include <fmt/chrono.h>

namespace pgweir::obs {

std::string iso_text(std::chrono::system_clock::time_point time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::floor<std::chrono::milliseconds>(time - second);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(second)), rest.count());
}

}  // namespace pgweir::obs

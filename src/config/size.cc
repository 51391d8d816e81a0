#include "config/size.h"

#include <array>
#include <cmath>

#include "config/nearest_name.h"
#include "config/number.h"

namespace pgweir::config {
namespace {

struct Suffix {
  std::string_view text;
  std::uint64_t bytes;
};
// From large to small, so that rendering finds the largest unit that leaves no rest.
constexpr std::array kSuffixes{
    Suffix{"GB", std::uint64_t{1} << 30U},
    Suffix{"MB", std::uint64_t{1} << 20U},
    Suffix{"kB", std::uint64_t{1} << 10U},
    Suffix{"B", 1},
};
constexpr double kLargest = 0x1p50;

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = split_number(text);
  if (!number) return std::nullopt;
  const std::string_view wanted = number->suffix.empty() ? "B" : number->suffix;
  for (const Suffix& suffix : kSuffixes) {
    if (!is_same_name(suffix.text, wanted)) continue;
    const double bytes = number->value * static_cast<double>(suffix.bytes);
    if (bytes >= kLargest) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  return std::nullopt;
}

std::string render_size(std::uint64_t bytes) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.bytes == 1 || bytes == 0) break;
    if (bytes % suffix.bytes == 0) {
      return std::to_string(bytes / suffix.bytes).append(suffix.text);
    }
  }
  return std::to_string(bytes);
}

}  // namespace pgweir::config

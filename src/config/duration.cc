#include "config/duration.h"

#include <array>
#include <cmath>

#include "config/number.h"

namespace pgweir::config {
namespace {

struct Suffix {
  std::string_view text;
  base::Duration unit;
};
// From large to small, so that rendering finds the largest unit that leaves no rest.
constexpr std::array kSuffixes{
    Suffix{"d", std::chrono::hours(24)},        Suffix{"h", std::chrono::hours(1)},
    Suffix{"min", std::chrono::minutes(1)},     Suffix{"s", std::chrono::seconds(1)},
    Suffix{"ms", std::chrono::milliseconds(1)}, Suffix{"us", std::chrono::microseconds(1)},
};

// Keeps `now + duration` far away from the end of the clock.
constexpr base::Duration kLongest = std::chrono::hours(24) * 365 * 100;

std::optional<base::Duration> unit_of(std::string_view suffix, Unit bare) {
  if (suffix.empty()) {
    switch (bare) {
      case Unit::None: return std::nullopt;
      case Unit::Seconds: return std::chrono::seconds(1);
      case Unit::Milliseconds: return std::chrono::milliseconds(1);
    }
  }
  for (const Suffix& known : kSuffixes) {
    if (known.text == suffix) return known.unit;
  }
  return std::nullopt;
}

}  // namespace

std::optional<base::Duration> parse_duration(std::string_view text, Unit bare) {
  const auto number = split_number(text);
  if (!number) return std::nullopt;
  if (number->value == 0 && number->suffix.empty()) return base::Duration::zero();
  const auto unit = unit_of(number->suffix, bare);
  if (!unit) return std::nullopt;
  const double count = number->value * static_cast<double>(unit->count());
  if (count > static_cast<double>(kLongest.count())) return std::nullopt;
  return base::Duration(std::llround(count));
}

std::string render_duration(base::Duration duration) {
  if (duration == base::Duration::zero()) return "0";
  for (const Suffix& suffix : kSuffixes) {
    if (duration % suffix.unit == base::Duration::zero()) {
      return std::to_string(duration / suffix.unit).append(suffix.text);
    }
  }
  return std::to_string(duration / std::chrono::microseconds(1)).append("us");
}

std::string_view describe_duration(Unit bare) {
  switch (bare) {
    case Unit::None: return "a duration with its unit, such as 500ms, 10s or 5min";
    case Unit::Seconds: return "a duration: seconds, or with a unit such as 500ms, 10s or 5min";
    case Unit::Milliseconds:
      return "a duration: milliseconds, or with a unit such as 500ms, 10s or 5min";
  }
  return {};
}

}  // namespace pgweir::config

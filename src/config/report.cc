#include "config/report.h"

#include <fmt/format.h>

namespace pgweir::config {

std::string Place::text() const { return line == 0 ? source : fmt::format("{}:{}", source, line); }

std::string Remark::line() const {
  if (place.source.empty()) return key.empty() ? what : fmt::format("{}: {}", key, what);
  // An option of the command line is named by its place already.
  if (key.empty() || place.source == "--" + key) return fmt::format("{}: {}", place.text(), what);
  return fmt::format("{}: {}: {}", place.text(), key, what);
}

void Report::add_mistake(Place place, std::string_view key, std::string what) {
  mistakes.push_back({std::move(place), std::string(key), std::move(what)});
}

void Report::add_note(Place place, std::string_view key, std::string what) {
  notes.push_back({std::move(place), std::string(key), std::move(what)});
}

}  // namespace pgweir::config

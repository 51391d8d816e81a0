#include "session/canonical_values.h"

namespace pgweir::session {
namespace {

// Clients choose the values; what they choose must not fill our memory.
constexpr std::size_t kSpelledMax = 1000;

}  // namespace

void CanonicalValues::learn(std::string_view name, std::string_view asked,
                            std::string_view answered) {
  std::pair<std::string, std::string> key(name, asked);
  const auto known = spelled_.find(key);
  if (known != spelled_.end()) {
    known->second = answered;
  } else if (asked != answered && spelled_.size() < kSpelledMax) {
    spelled_.emplace(std::move(key), answered);
  }
}

std::string_view CanonicalValues::spell(std::string_view name, std::string_view asked) const {
  const auto known = spelled_.find(std::pair<std::string, std::string>(name, asked));
  return known == spelled_.end() ? asked : std::string_view(known->second);
}

}  // namespace pgweir::session

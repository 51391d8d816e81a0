// Upper and lower case as PostgreSQL folds names: ASCII only, whatever the locale.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pgweir::session {

constexpr char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string folded(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), fold);
  return lower;
}

// Whether `written` is `lower`, which is in lower case, whatever its own case.
inline bool is_same_folded(std::string_view written, std::string_view lower) {
  return std::equal(written.begin(), written.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return fold(a) == b; });
}

}  // namespace pgweir::session

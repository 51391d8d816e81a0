// Takes from the beginning of a text what some rule lets through, and leaves the rest.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgweir::session {

// Takes the longest beginning of `part` whose bytes all satisfy `is_inside`.
template <typename Predicate>
std::string_view take_while(std::string_view& part, Predicate is_inside) {
  std::size_t bytes = 0;
  while (bytes < part.size() && is_inside(part[bytes])) ++bytes;
  const std::string_view taken = part.substr(0, bytes);
  part.remove_prefix(bytes);
  return taken;
}

// Takes what is before `end`, or everything.
inline std::string_view take_until(std::string_view& part, char end) {
  const std::string_view taken = part.substr(0, part.find(end));
  part.remove_prefix(taken.size());
  return taken;
}

// REQUIRES: there is a byte.
inline char take(std::string_view& part) {
  const char c = part.front();
  part.remove_prefix(1);
  return c;
}

}  // namespace pgweir::session

// A number at the head of a text: what durations and sizes have in common.
#pragma once

#include <optional>
#include <string_view>

namespace pgweir::config {

struct NumberWithSuffix {
  double value = 0;  // Finite, never negative.
  std::string_view suffix;
};

// Splits "1.5 min" into 1.5 and "min". Digits, at most one point, no sign, no exponent.
std::optional<NumberWithSuffix> split_number(std::string_view text);

// Without white space at both ends.
std::string_view trim(std::string_view text);

}  // namespace pgweir::config

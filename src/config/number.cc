#include "config/number.h"

#include <cctype>
#include <charconv>

namespace pgweir::config {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<NumberWithSuffix> split_number(std::string_view text) {
  text = trim(text);
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789."));
  // from_chars would also take "inf", "nan" and a sign.
  if (digits.find_first_of("0123456789") == std::string_view::npos) return std::nullopt;
  NumberWithSuffix number;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(),
                                            number.value, std::chars_format::fixed);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  number.suffix = trim(text.substr(digits.size()));
  return number;
}

}  // namespace pgweir::config

#include "session/reading.h"

#include <algorithm>
#include <array>

namespace pgweir::session {
namespace {

constexpr std::array<std::string_view, 12> kDeciding = {"array_nulls",
                                                        "backslash_quote",
                                                        "client_encoding",
                                                        "datestyle",
                                                        "intervalstyle",
                                                        "lc_monetary",
                                                        "standard_conforming_strings",
                                                        "timezone",
                                                        "timezone_abbreviations",
                                                        "transform_null_equals",
                                                        "xmloption",
                                                        "default_text_search_config"};

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool decides_reading(std::string_view name) {
  return std::any_of(kDeciding.begin(), kDeciding.end(), [name](std::string_view known) {
    return std::ranges::equal(known, name, [](char a, char b) { return a == to_lower(b); });
  });
}

void append_reading(const ParameterSet& parameters, std::string& out) {
  for (const auto& [name, value] : parameters) {
    if (!decides_reading(name)) continue;
    out += name;
    out += '\0';
    out += value.text;
    out += '\0';
  }
}

}  // namespace pgweir::session

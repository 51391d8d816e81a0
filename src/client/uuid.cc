#include "pgweir/values/uuid.hpp"

#include "client/hex_digit.h"

namespace pgweir {
inline namespace v1 {
namespace {

constexpr std::size_t kLengthWithHyphens = 36;
constexpr std::size_t kLengthWithout = 32;

// Whether a hyphen stands before this byte.
constexpr bool begins_group(std::size_t index) {
  return index == 4 || index == 6 || index == 8 || index == 10;
}

}  // namespace

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
  const bool has_hyphens = text.size() == kLengthWithHyphens;
  if (!has_hyphens && text.size() != kLengthWithout) return std::nullopt;
  uuid made;
  for (std::size_t i = 0; i < made.bytes_.size(); ++i) {
    if (has_hyphens && begins_group(i)) {
      if (text[0] != '-') return std::nullopt;
      text.remove_prefix(1);
    }
    const int high = client::nibble_of(text[0]);
    const int low = client::nibble_of(text[1]);
    if (high < 0 || low < 0) return std::nullopt;
    made.bytes_[i] = static_cast<std::byte>(high * 16 + low);
    text.remove_prefix(2);
  }
  return made;
}

std::string uuid::text() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(kLengthWithHyphens);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (begins_group(i)) text += '-';
    text += digits[std::to_integer<std::size_t>(bytes_[i] >> 4)];
    text += digits[std::to_integer<std::size_t>(bytes_[i] & std::byte{15})];
  }
  return text;
}

}  // namespace v1
}  // namespace pgweir

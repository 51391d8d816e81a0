#include "auth/base64.h"

#include <algorithm>

namespace pgweir::auth {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The first `count` of the four characters that stand for three bytes.
void append_group(std::string& out, std::uint32_t group, std::size_t count) {
  for (std::size_t i = 0; i < 4; ++i) {
    out.push_back(i < count ? kAlphabet[(group >> (18U - 6U * i)) & 63U] : '=');
  }
}

}  // namespace

std::string encode_base64(base::Bytes data) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  while (!data.empty()) {
    const std::size_t taken = std::min<std::size_t>(data.size(), 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < taken; ++i) {
      group |= std::to_integer<std::uint32_t>(data[i]) << (16U - 8U * i);
    }
    append_group(out, group, taken + 1);
    data = data.subspan(taken);
  }
  return out;
}

std::optional<base::ByteBuffer> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  base::ByteBuffer out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  std::uint32_t bit_count = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out.push_back(std::byte((bits >> bit_count) & 0xffU));
  }
  if ((bits & ((1U << bit_count) - 1U)) != 0) return std::nullopt;
  return out;
}

}  // namespace pgweir::auth

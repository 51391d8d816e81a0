#include "auth/base64.h"

#include <algorithm>
#include <array>

namespace pgweir::auth {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNoDigit = 64;

// What each character stands for.
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

// The first `count` of the four characters that stand for three bytes.
void write_group(char* out, std::uint32_t group, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = kAlphabet[(group >> (18U - 6U * i)) & 63U];
}

std::size_t padding_of(std::string_view text) {
  return text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
}

// The three bytes of four characters; above 24 bits if one of them is no digit.
std::uint32_t group_of(const char* four) {
  std::uint32_t group = 0;
  std::uint32_t no_digit = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(four[i])];
    no_digit |= value & kNoDigit;
    group = (group << 6U) | value;
  }
  return group | no_digit << 24U;
}

}  // namespace

void append_base64(std::string& out, base::Bytes data) {
  std::size_t at = out.size();
  out.resize(at + (data.size() + 2) / 3 * 4, '=');
  for (; data.size() >= 3; data = data.subspan(3), at += 4) {
    write_group(&out[at],
                std::to_integer<std::uint32_t>(data[0]) << 16U |
                    std::to_integer<std::uint32_t>(data[1]) << 8U |
                    std::to_integer<std::uint32_t>(data[2]),
                4);
  }
  if (data.empty()) return;
  std::uint32_t rest = std::to_integer<std::uint32_t>(data[0]) << 16U;
  if (data.size() == 2) rest |= std::to_integer<std::uint32_t>(data[1]) << 8U;
  write_group(&out[at], rest, data.size() + 1);
}

std::string encode_base64(base::Bytes data) {
  std::string out;
  append_base64(out, data);
  return out;
}

bool decode_base64_exactly(std::string_view text, std::span<std::byte> out) {
  const std::size_t padding = padding_of(text);
  if (text.size() % 4 != 0 || text.size() / 4 * 3 != out.size() + padding) return false;
  for (; !text.empty(); text.remove_prefix(4)) {
    std::array<char, 4> last{};
    const char* four = text.data();
    if (text.size() == 4 && padding > 0) {  // 'A' stands for zero bits.
      std::copy_n(four, 4, last.begin());
      std::fill(last.end() - static_cast<std::ptrdiff_t>(padding), last.end(), 'A');
      four = last.data();
    }
    const std::uint32_t group = group_of(four);
    if (group > 0xffffffU) return false;
    const std::size_t taken = std::min<std::size_t>(out.size(), 3);
    for (std::size_t i = 0; i < taken; ++i) {
      out[i] = std::byte((group >> (16U - 8U * i)) & 0xffU);
    }
    if ((group & ((1U << (24U - 8U * taken)) - 1U)) != 0) return false;  // Unused bits.
    out = out.subspan(taken);
  }
  return true;
}

std::optional<base::ByteBuffer> decode_base64(std::string_view text) {
  const std::size_t padding = padding_of(text);
  if (text.size() / 4 * 3 < padding) return std::nullopt;
  base::ByteBuffer out(text.size() / 4 * 3 - padding);
  if (!decode_base64_exactly(text, out)) return std::nullopt;
  return out;
}

}  // namespace pgweir::auth

#include "obs/logfmt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace pgweir::obs {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool is_valid = false;
};

constexpr std::uint32_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// The first character of a text that is not empty; an invalid one is a single byte.
Character first_character(std::string_view text) {
  const std::uint32_t lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80U) return {};
    code = (code << 6U) | (byte_at(text, i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kSmallest[bytes] || code > 0x10ffff || is_surrogate) return {};
  return {code, bytes, true};
}

// Characters that end a line, move the cursor or reorder what a terminal shows: a client could
// forge a line of ours with them.
bool is_deceptive(char32_t code) {
  const auto within = [code](char32_t low, char32_t high) { return code >= low && code <= high; };
  return within(0x00, 0x1f) || within(0x7f, 0x9f) || code == 0x61c || within(0x200b, 0x200f) ||
         within(0x2028, 0x202e) || within(0x2060, 0x206f) || code == 0xfeff;
}

bool is_bare(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  });
}

using Scratch = std::array<char, 32>;

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// One character as it stands between quotes, in a scratch buffer of the caller.
std::string_view escape(std::string_view bytes, const Character& character, Scratch& scratch) {
  if (character.is_valid) {
    if (character.code == '"') return "\\\"";
    if (character.code == '\\') return "\\\\";
    if (character.code == '\n') return "\\n";
    if (character.code == '\r') return "\\r";
    if (character.code == '\t') return "\\t";
    if (!is_deceptive(character.code)) return bytes;
  }
  char* end = scratch.data();
  for (const char byte : bytes) {
    end = fmt::format_to(end, "\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return between(scratch.data(), end);
}

// `count` thousandths as a decimal number without trailing zeros: 1500 → 1.5.
std::string_view format_thousandths(std::int64_t count, Scratch& scratch) {
  const bool is_negative = count < 0;
  const auto size =
      is_negative ? 0U - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  char* end = fmt::format_to(scratch.data(), "{}{}", is_negative ? "-" : "", size / 1000);
  if (size % 1000 != 0) {
    end = fmt::format_to(end, ".{:03}", size % 1000);
    while (end[-1] == '0') --end;
  }
  return between(scratch.data(), end);
}

// Nanoseconds in one thousandth of the unit that a key names.
std::int64_t thousandth_of_unit(std::string_view key) {
  if (key.ends_with("_us")) return 1;
  if (key.ends_with("_ms")) return 1'000;
  return 1'000'000;
}

}  // namespace

void LineBuffer::add(const Field& field) {
  const std::size_t size_before = size_;
  if (size_ != 0) put(" ");
  put(field.key);
  put("=");
  if (field.kind == Field::Kind::Text) {
    put_text(field.text);
  } else {
    put_number(field);
  }
  if (is_full_) size_ = size_before;
}

void LineBuffer::put(std::string_view bytes) {
  is_full_ = is_full_ || bytes.size() > kLineBytesMax - size_;
  if (is_full_) return;
  std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void LineBuffer::put_number(const Field& field) {
  Scratch scratch;
  const auto as_signed = static_cast<std::int64_t>(field.number);
  switch (field.kind) {
    case Field::Kind::Text: return;
    case Field::Kind::Boolean: return put(field.number != 0 ? "true" : "false");
    case Field::Kind::Time:
      return put(format_thousandths(as_signed / thousandth_of_unit(field.key), scratch));
    case Field::Kind::Signed:
      return put(between(scratch.data(), fmt::format_to(scratch.data(), "{}", as_signed)));
    case Field::Kind::Unsigned:
      return put(between(scratch.data(), fmt::format_to(scratch.data(), "{}", field.number)));
  }
}

void LineBuffer::put_text(std::string_view text) {
  if (text.size() <= kValueBytesMax && is_bare(text)) return put(text);
  put("\"");
  put_escaped(text);
  put("\"");
}

void LineBuffer::put_escaped(std::string_view text) {
  std::size_t bytes_left = kValueBytesMax;
  Scratch scratch;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    const std::string_view escaped = escape(bytes, character, scratch);
    if (escaped.size() > bytes_left) return put("...");
    put(escaped);
    bytes_left -= escaped.size();
    text.remove_prefix(character.bytes);
  }
}

}  // namespace pgweir::obs

// Bytes, ByteReader and ByteWriter: reading and building byte strings in network order. They know
// no message; wire/ gives the bytes a meaning. A reader never runs past its span: a read that would
// do so marks the reader bad and yields zeros, so that a parser checks once at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::base {

using Bytes = std::span<const std::byte>;
using ByteBuffer = std::vector<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline void append(ByteBuffer& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

inline std::uint16_t load_u16(const std::byte* at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(at[0]) << 8U) |
                                    std::to_integer<unsigned>(at[1]));
}
inline std::uint32_t load_u32(const std::byte* at) {
  return (std::to_integer<std::uint32_t>(at[0]) << 24U) |
         (std::to_integer<std::uint32_t>(at[1]) << 16U) |
         (std::to_integer<std::uint32_t>(at[2]) << 8U) | std::to_integer<std::uint32_t>(at[3]);
}
inline void store_u32(std::byte* at, std::uint32_t value) {
  at[0] = std::byte(value >> 24U);
  at[1] = std::byte((value >> 16U) & 0xffU);
  at[2] = std::byte((value >> 8U) & 0xffU);
  at[3] = std::byte(value & 0xffU);
}

// Borrows the span it reads; the views it returns live as long as that span.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  std::uint8_t u8() {
    const Bytes b = take(1);
    return b.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(b[0]);
  }
  std::uint16_t u16() {
    const Bytes b = take(2);
    return b.empty() ? std::uint16_t{0} : load_u16(b.data());
  }
  std::uint32_t u32() {
    const Bytes b = take(4);
    return b.empty() ? 0U : load_u32(b.data());
  }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }

  // The text up to the next zero byte, which is consumed too.
  std::string_view c_string() {
    const auto* start = reinterpret_cast<const char*>(rest_.data());
    const void* end = rest_.empty() ? nullptr : std::memchr(start, 0, rest_.size());
    if (end == nullptr) {
      fail();
      return {};
    }
    const auto size = static_cast<std::size_t>(static_cast<const char*>(end) - start);
    rest_ = rest_.subspan(size + 1);
    return {start, size};
  }

  // Exactly `count` bytes, or none and a bad reader.
  Bytes take(std::size_t count) {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  Bytes rest() const { return rest_; }
  bool is_good() const { return good_; }
  // All was read and nothing was missing: the end of a well-formed body.
  bool is_complete() const { return good_ && rest_.empty(); }

 private:
  void fail() {
    good_ = false;
    rest_ = {};
  }

  Bytes rest_;
  bool good_ = true;
};

// Appends to a buffer that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(ByteBuffer& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(std::byte{value}); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8U));
    u8(static_cast<std::uint8_t>(value & 0xffU));
  }
  void u32(std::uint32_t value) {
    const std::size_t at = out_.size();
    out_.resize(at + 4);
    store_u32(out_.data() + at, value);
  }
  void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
  void bytes(Bytes bytes) { append(out_, bytes); }
  void text(std::string_view text) { append(out_, as_bytes(text)); }
  void c_string(std::string_view text) {
    append(out_, as_bytes(text));
    u8(0);
  }

 private:
  ByteBuffer& out_;
};

}  // namespace pgweir::base

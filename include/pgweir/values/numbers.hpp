/// \file
/// bool, integers and floating point: binary as parameters; exact or refused as results.
#pragma once

#include <bit>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "pgweir/values.hpp"

namespace pgweir {
inline namespace v1 {

namespace detail {

/// Network byte order.
template <std::unsigned_integral T>
void encode_big_endian(type_oid type, T value, encoded_value& to) {
  std::array<char, sizeof(T)> bytes{};
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  to.set_bytes(type, {bytes.data(), bytes.size()});
}

/// Of exactly sizeof(T) bytes.
template <std::unsigned_integral T>
T decode_big_endian(std::string_view bytes) noexcept {
  T value = 0;
  for (const char byte : bytes) {
    value = static_cast<T>((value << 8) | static_cast<unsigned char>(byte));
  }
  return value;
}

/// Of int2, int4 or int8. False when it is of another length.
inline bool decode_signed(std::string_view bytes, std::int64_t& to) noexcept {
  switch (bytes.size()) {
    case 2: to = static_cast<std::int16_t>(decode_big_endian<std::uint16_t>(bytes)); return true;
    case 4: to = static_cast<std::int32_t>(decode_big_endian<std::uint32_t>(bytes)); return true;
    case 8: to = static_cast<std::int64_t>(decode_big_endian<std::uint64_t>(bytes)); return true;
    default: return false;
  }
}

constexpr bool is_integer(type_oid type) noexcept {
  return type == type_oid::int2 || type == type_oid::int4 || type == type_oid::int8;
}

/// The whole of it, or false.
template <class T>
bool parse_number(std::string_view text, T& to) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, to);
  return error == std::errc{} && stop == end;
}

}  // namespace detail

template <class T>
concept integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                  !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                  !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <>
struct value_traits<bool> {
  static constexpr std::string_view name = "bool";
  static void encode(bool value, encoded_value& to) {
    to.set_bytes(type_oid::boolean, value ? std::string_view("\1", 1) : std::string_view("\0", 1));
  }
  static const char* decode(const cell& from, bool& to) {
    if (from.type != type_oid::boolean) return "is no bool";
    const std::string_view is_true = from.is_binary ? std::string_view("\1", 1) : "t";
    const std::string_view is_false = from.is_binary ? std::string_view("\0", 1) : "f";
    to = from.bytes == is_true;
    return to || from.bytes == is_false ? nullptr : "is not what PostgreSQL says that it is";
  }
};

template <integer T>
struct value_traits<T> {
  static constexpr std::string_view name =
      std::is_signed_v<T> ? "a signed integer" : "an unsigned integer";
  // By its size, so that a statement that PostgreSQL keeps is asked for with the same types again.
  static void encode(T value, encoded_value& to) {
    if constexpr (std::is_signed_v<T> && sizeof(T) <= 2) {
      detail::encode_big_endian(type_oid::int2, static_cast<std::uint16_t>(value), to);
    } else if constexpr (sizeof(T) < 4 || (std::is_signed_v<T> && sizeof(T) == 4)) {
      detail::encode_big_endian(type_oid::int4, static_cast<std::uint32_t>(value), to);
    } else {
      if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {
        if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
          return to.refuse("is larger than a bigint can be");
        }
      }
      detail::encode_big_endian(type_oid::int8, static_cast<std::uint64_t>(value), to);
    }
  }
  static const char* decode(const cell& from, T& to) {
    if (!detail::is_integer(from.type)) return "is no integer";
    std::int64_t value = 0;
    const bool is_read = from.is_binary ? detail::decode_signed(from.bytes, value)
                                        : detail::parse_number(from.bytes, value);
    if (!is_read) return "is not what PostgreSQL says that it is";
    if (!std::in_range<T>(value)) return "does not fit";
    to = static_cast<T>(value);
    return nullptr;
  }
};

template <std::floating_point T>
requires(sizeof(T) <= 8) struct value_traits<T> {
  static constexpr std::string_view name = sizeof(T) == 4 ? "float" : "double";
  static void encode(T value, encoded_value& to) {
    if constexpr (sizeof(T) == 4) {
      detail::encode_big_endian(type_oid::float4, std::bit_cast<std::uint32_t>(value), to);
    } else {
      detail::encode_big_endian(type_oid::float8, std::bit_cast<std::uint64_t>(value), to);
    }
  }
  static const char* decode(const cell& from, T& to) {
    if (from.type == type_oid::float8 && sizeof(T) == 4) return "is more precise than a float";
    if (from.type != type_oid::float4 && from.type != type_oid::float8) {
      return "is no floating point number; a numeric can be read as a std::string, or cast to "
             "float8 in the statement";
    }
    if (!from.is_binary) {
      return parse(from, to) ? nullptr : "is not what PostgreSQL says that it is";
    }
    if (from.type == type_oid::float4 && from.bytes.size() == 4) {
      to = std::bit_cast<float>(detail::decode_big_endian<std::uint32_t>(from.bytes));
    } else if (from.type == type_oid::float8 && from.bytes.size() == 8) {
      to = static_cast<T>(
          std::bit_cast<double>(detail::decode_big_endian<std::uint64_t>(from.bytes)));
    } else {
      return "is not what PostgreSQL says that it is";
    }
    return nullptr;
  }

 private:
  // from_chars knows "nan" and "inf" in any case, and PostgreSQL writes NaN and Infinity.
  // The text of a float4 has as many digits as tell floats apart: as a double, 0.1 would be another
  // number than in binary.
  static bool parse(const cell& from, T& to) {
    if (from.type == type_oid::float8) return detail::parse_number(from.bytes, to);
    float value = 0;
    const bool is_read = detail::parse_number(from.bytes, value);
    to = value;
    return is_read;
  }
};

}  // namespace v1
}  // namespace pgweir

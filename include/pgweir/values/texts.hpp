/// \file
/// Texts and bytes. A text is sent without a type, so that PostgreSQL takes it for what the
/// statement needs: `where id = $1` with a uuid in a std::string works. As a result every type can
/// be read as the text that PostgreSQL shows.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pgweir/export.hpp"
#include "pgweir/values.hpp"

namespace pgweir {
inline namespace v1 {

namespace detail {

/// Of these the binary form is the text.
constexpr bool is_text(type_oid type) noexcept {
  return type == type_oid::text || type == type_oid::varchar || type == type_oid::json;
}

}  // namespace detail

template <>
struct value_traits<std::string> {
  static constexpr std::string_view name = "std::string";
  static void encode(const std::string& value, encoded_value& to) { to.set_text(value); }
  static const char* decode(const cell& from, std::string& to) {
    if (from.is_binary && !detail::is_text(from.type)) return "came in binary";
    to.assign(from.bytes);
    return nullptr;
  }
};

/// Not from a result: what it pointed to would go with the rows.
template <>
struct value_traits<std::string_view> {
  static void encode(std::string_view value, encoded_value& to) {
    to.keep_text(std::string(value));
  }
};

template <>
struct value_traits<const char*> {
  static void encode(const char* value, encoded_value& to) {
    if (value == nullptr) return to.set_null();
    to.set_text(value);
  }
};

template <std::size_t Size>
struct value_traits<char[Size]> {
  static void encode(const char (&value)[Size], encoded_value& to) {
    to.set_text(static_cast<const char*>(value));
  }
};

namespace detail {

/// PostgreSQL's "\x…" or its binary form. False when it is neither.
PGWEIR_EXPORT bool decode_bytea(const cell& from, std::vector<std::byte>& to);

inline std::string_view as_chars(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace detail

template <>
struct value_traits<std::vector<std::byte>> {
  static constexpr std::string_view name = "std::vector<std::byte>";
  static void encode(const std::vector<std::byte>& value, encoded_value& to) {
    to.borrow_bytes(type_oid::bytea, detail::as_chars(value));
  }
  static const char* decode(const cell& from, std::vector<std::byte>& to) {
    if (from.type != type_oid::bytea) return "is no bytea";
    return detail::decode_bytea(from, to) ? nullptr : "is not what PostgreSQL says that it is";
  }
};

template <>
struct value_traits<std::span<const std::byte>> {
  static void encode(std::span<const std::byte> value, encoded_value& to) {
    to.borrow_bytes(type_oid::bytea, detail::as_chars(value));
  }
};

}  // namespace v1
}  // namespace pgweir

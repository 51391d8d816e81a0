/// \file
/// value_traits: how one C++ type is written as a parameter and read from a result. A program adds
/// a type of its own by a specialisation; how the library's own are is in the folder values/.
/// Sources: PostgreSQL manual, chapters 8 and 55.2.2; binary forms: the *send functions of
/// src/backend/utils/adt.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir {
inline namespace v1 {

/// The object ids of PostgreSQL's own types that are sent or read as what they are (pg_type.dat).
enum class type_oid : unsigned {
  unspecified = 0,  ///< PostgreSQL finds out from the statement.
  boolean = 16,
  bytea = 17,
  int8 = 20,
  int2 = 21,
  int4 = 23,
  text = 25,
  json = 114,
  json_array = 199,
  float4 = 700,
  float8 = 701,
  boolean_array = 1000,
  bytea_array = 1001,
  int2_array = 1005,
  int4_array = 1007,
  text_array = 1009,
  varchar_array = 1015,
  int8_array = 1016,
  float4_array = 1021,
  float8_array = 1022,
  varchar = 1043,
  date = 1082,
  timestamp = 1114,
  timestamp_array = 1115,
  date_array = 1182,
  timestamptz = 1184,
  timestamptz_array = 1185,
  numeric_array = 1231,
  numeric = 1700,
  uuid = 2950,
  uuid_array = 2951,
  jsonb = 3802,
  jsonb_array = 3807,
};

/// A parameter on its way to PostgreSQL. It is written in place and never moved.
class encoded_value {
 public:
  encoded_value() = default;
  encoded_value(const encoded_value&) = delete;
  encoded_value& operator=(const encoded_value&) = delete;

  /// NULL, of the type that was written before, if one was.
  void set_null() noexcept {
    data_ = nullptr;
    length_ = 0;
  }
  /// A text that ends with a NUL and outlives the call. One with a NUL inside is refused.
  void set_text(std::string_view text) noexcept {
    if (text.find('\0') != std::string_view::npos) return refuse("has a NUL inside");
    data_ = text.data();
    length_ = text.size();
  }
  /// A text that is kept here; of `type`, if PostgreSQL is not to find out.
  void keep_text(std::string text, type_oid type = type_oid::unspecified) {
    kept_ = std::move(text);
    type_ = type;
    set_text(kept_);
  }
  /// Binary, of at most 16 bytes, which are copied.
  void set_bytes(type_oid type, std::string_view bytes) noexcept {
    borrow_bytes(type, {bytes_.data(), bytes.copy(bytes_.data(), bytes_.size())});
  }
  /// Binary, of bytes that outlive the call.
  void borrow_bytes(type_oid type, std::string_view bytes) noexcept {
    type_ = type;
    is_binary_ = true;
    data_ = bytes.empty() ? bytes_.data() : bytes.data();  // Null would be NULL.
    length_ = bytes.size();
  }
  /// Binary, of bytes that are kept here.
  void keep_bytes(type_oid type, std::string bytes) {
    kept_ = std::move(bytes);
    borrow_bytes(type, kept_);
  }
  /// It cannot be sent. `why` is a literal that goes on after "parameter $3".
  void refuse(const char* why) noexcept { refused_ = why; }

  /// unspecified: PostgreSQL finds out.
  type_oid type() const noexcept { return type_; }
  /// Null: NULL.
  const char* data() const noexcept { return data_; }
  /// Bytes.
  std::size_t length() const noexcept { return length_; }
  /// Else PostgreSQL reads it as text.
  bool is_binary() const noexcept { return is_binary_; }
  /// Why it cannot be sent, or null.
  const char* refused() const noexcept { return refused_; }

 private:
  type_oid type_ = type_oid::unspecified;
  bool is_binary_ = false;
  std::size_t length_ = 0;
  const char* data_ = nullptr;
  const char* refused_ = nullptr;
  std::array<char, 16> bytes_{};
  std::string kept_;
};

/// A value as PostgreSQL sent it. Borrowed from the rows.
struct cell {
  std::string_view bytes;                 ///< In the format that is_binary says.
  bool is_null = false;                   ///< Then there are no bytes.
  bool is_binary = false;                 ///< Else text, as psql shows it.
  type_oid type = type_oid::unspecified;  ///< Of the column.
};

/// Specialise it with
///   static constexpr std::string_view name;              // For messages.
///   static void encode(const T& value, encoded_value& to);
///   static const char* decode(const cell& from, T& to);
/// decode gives nullptr, or why not: a literal that goes on after "column 1 "name", which is
/// text,". It sees no NULL; std::optional takes those.
template <class T>
struct value_traits;

}  // namespace v1
}  // namespace pgweir

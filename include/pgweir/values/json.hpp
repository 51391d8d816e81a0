/// \file
/// json: a text that is a JSON document, for columns of json and of jsonb. Sent without a type, so
/// that PostgreSQL takes it for the one that the statement needs. It is neither parsed nor checked
/// here: PostgreSQL does that, and programs have a library for it.
/// Sources: PostgreSQL manual, chapter 8.14; jsonb_send in src/backend/utils/adt/jsonb.c.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "pgweir/values.hpp"

namespace pgweir {
inline namespace v1 {

/// A value; its text is its own. Two are equal when their texts are. Default-constructed it is
/// JSON's null.
class json {
 public:
  json() = default;
  /// The text is taken as it is; PostgreSQL says if it is no JSON.
  explicit json(std::string text) noexcept : text_(std::move(text)) {}

  /// As it is sent and as it came.
  const std::string& text() const& noexcept { return text_; }
  /// As it is sent and as it came.
  std::string text() && noexcept { return std::move(text_); }

  friend bool operator==(const json&, const json&) noexcept = default;

 private:
  std::string text_ = "null";
};

template <>
struct value_traits<json> {
  static constexpr std::string_view name = "pgweir::json";
  static void encode(const json& value, encoded_value& to) { to.set_text(value.text()); }
  static const char* decode(const cell& from, json& to) {
    if (from.type != type_oid::json && from.type != type_oid::jsonb) return "is no json";
    std::string_view text = from.bytes;
    if (from.is_binary && from.type == type_oid::jsonb) {
      // The version of the form, and then its text.
      if (!text.starts_with('\1')) return "is in a binary form that is not known here";
      text.remove_prefix(1);
    }
    to = json(std::string(text));
    return nullptr;
  }
};

}  // namespace v1
}  // namespace pgweir

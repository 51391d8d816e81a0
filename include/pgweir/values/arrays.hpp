/// \file
/// std::vector<T>: a one-dimensional array, of T with std::optional<T> where elements may be NULL.
/// std::vector<std::byte> is no array but a bytea (texts.hpp). As a parameter it is binary where
/// its elements are, and PostgreSQL's array literal else: texts are a text[], so that `unnest($1)`
/// knows what it is given; for other types cast it in the statement, as in `any($1::color[])`.
/// What T sends without a type (json) becomes an array without one. Not here: arrays of more
/// dimensions, which are refused; where an array begins to count is forgotten.
/// Sources: PostgreSQL manual, chapter 8.15.6; array_send in src/backend/utils/adt/arrayfuncs.c.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pgweir/export.hpp"
#include "pgweir/values.hpp"
#include "pgweir/values/optionals.hpp"

namespace pgweir {
inline namespace v1 {

namespace detail {

/// One parameter that is an array, from its first element to its last.
class PGWEIR_EXPORT array_writer {
 public:
  /// `like` has the type and the form of all elements that are not NULL.
  explicit array_writer(const encoded_value& like);

  void add(const encoded_value& element);
  /// REQUIRES: it is called once, after the last add(). `type` is taken where elements have none.
  void finish(type_oid type, encoded_value& to);

 private:
  type_oid element_type_;
  bool is_binary_;
  bool has_null_ = false;
  std::uint32_t count_ = 0;
  const char* refused_ = nullptr;
  std::string elements_;
};

/// The elements of a result that is an array, one after the other.
class PGWEIR_EXPORT array_reader {
 public:
  explicit array_reader(const cell& from);

  /// The next element, valid until the next call. False after the last one, and when something is
  /// wrong.
  bool next(cell& element);
  /// nullptr, or why it is no array of one dimension.
  const char* wrong() const noexcept { return wrong_; }

 private:
  const char* open_binary();
  const char* open_text();
  bool next_binary(cell& element);
  bool next_text(cell& element);
  bool take_quoted();
  bool stop(const char* wrong) noexcept;

  std::string_view rest_;
  bool is_binary_;
  type_oid element_type_;
  std::uint32_t count_ = 0;  ///< Of a binary array: what is still to come.
  bool is_first_ = true;
  bool is_at_end_ = false;
  const char* wrong_ = nullptr;
  std::string unquoted_;
};

template <class T>
struct element_of {
  using type = T;
};
template <class T>
struct element_of<std::optional<T>> {
  using type = T;
};

/// Alone it is sent without a type; many of them are a text[].
template <class T>
concept plain_text = std::same_as<T, std::string> || std::same_as<T, std::string_view> ||
    std::same_as<T, const char*>;

template <class T>
struct is_array : std::false_type {};
template <class T>
struct is_array<std::vector<T>> : std::bool_constant<!std::same_as<T, std::byte>> {};

/// PostgreSQL's arrays of more dimensions are no arrays of arrays.
template <class T>
concept array_element = !is_array<typename element_of<T>::type>::value;

}  // namespace detail

/// What is wrong with an element is said of the array: "does not fit". REQUIRES: T() is encoded
/// with the type and in the form of every T.
template <detail::array_element T>
struct value_traits<std::vector<T>> {
  using element = typename detail::element_of<T>::type;
  static constexpr std::string_view name = "a std::vector";
  static void encode(const std::vector<T>& values, encoded_value& to) {
    // An array of none has a type too.
    const element example{};
    encoded_value like;
    value_traits<element>::encode(example, like);
    detail::array_writer writer(like);
    for (const auto& value : values) {
      encoded_value encoded;
      value_traits<T>::encode(value, encoded);
      writer.add(encoded);
    }
    writer.finish(detail::plain_text<element> ? type_oid::text_array : type_oid::unspecified, to);
  }

  static const char* decode(const cell& from, std::vector<T>& to) {
    to.clear();
    detail::array_reader reader(from);
    for (cell next; reader.next(next);) {
      if (next.is_null) {
        if constexpr (detail::is_optional<T>::value) {
          to.push_back(std::nullopt);
          continue;
        } else {
          return "has an element that is NULL and no std::optional to be one";
        }
      }
      element value{};
      if (const char* why = value_traits<element>::decode(next, value)) return why;
      to.push_back(std::move(value));
    }
    return reader.wrong();
  }
};

}  // namespace v1
}  // namespace pgweir

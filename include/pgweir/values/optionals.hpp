/// \file
/// NULL: std::optional in both directions; nullptr and std::nullopt as parameters.
#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>

#include "pgweir/values.hpp"

namespace pgweir {
inline namespace v1 {

namespace detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

}  // namespace detail

template <class T>
struct value_traits<std::optional<T>> {
  static void encode(const std::optional<T>& value, encoded_value& to) {
    if (value) return value_traits<T>::encode(*value, to);
    // Of the same type as a value: a statement means the same with either.
    if constexpr (std::is_default_constructible_v<T>) value_traits<T>::encode(T(), to);
    to.set_null();
  }
};

template <>
struct value_traits<std::nullopt_t> {
  static void encode(std::nullopt_t, encoded_value& to) { to.set_null(); }
};

template <>
struct value_traits<std::nullptr_t> {
  static void encode(std::nullptr_t, encoded_value& to) { to.set_null(); }
};

}  // namespace v1
}  // namespace pgweir

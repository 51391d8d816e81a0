/// \file
/// The members of a struct, in their order, so that a row can become one: row::as<Struct>(). For
/// aggregates of 1 to 24 members; not for those with a base class, a C array or a bit-field. There
/// is no way yet from a struct to parameters.
#pragma once

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "pgweir/values.hpp"
#include "pgweir/values/optionals.hpp"

namespace pgweir {
inline namespace v1 {

namespace detail {

inline constexpr std::size_t struct_members_max = 24;

template <class T>
concept decodable = requires(const cell& from, T& to) {
  value_traits<T>::decode(from, to);
};

/// What one column can become.
template <class T>
concept column_value = decodable<T> || is_optional<T>::value;

/// What a row can become that is no value of one column.
template <class T>
concept row_struct = std::is_aggregate_v<T> && !std::is_array_v<T> && !column_value<T>;

/// Stands for a value of any type, where only types are asked for.
struct anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor): a member takes it as it is.
};

template <class T, std::size_t... Index>
constexpr bool takes(std::index_sequence<Index...>) {
  return requires { T{(static_cast<void>(Index), anything())...}; };
}

/// Of how many values T can be made at most: of all its members. One more than the limit if it has
/// more.
template <class T, std::size_t Count = struct_members_max + 1>
constexpr std::size_t count_members() {
  if constexpr (Count == 0 || takes<T>(std::make_index_sequence<Count>())) {
    return Count;
  } else {
    return count_members<T, Count - 1>();
  }
}

/// References to all members. Only their type is of use: these are not called.
template <std::size_t Count, class T>
auto tie_many(T& all) {
  if constexpr (Count == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (Count == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (Count == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (Count == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  } else if constexpr (Count == 17) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
  } else if constexpr (Count == 18) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
  } else if constexpr (Count == 19) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
  } else if constexpr (Count == 20) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
  } else if constexpr (Count == 21) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
  } else if constexpr (Count == 22) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
  } else if constexpr (Count == 23) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w);
  } else if constexpr (Count == 24) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
  }
}

template <std::size_t Count, class T>
auto tie_members(T& all) {
  static_assert(Count > 0, "the struct has no members");
  static_assert(Count <= struct_members_max, "the struct has more than 24 members");
  if constexpr (Count == 1) {
    auto& [a] = all;
    return std::tie(a);
  } else if constexpr (Count == 2) {
    auto& [a, b] = all;
    return std::tie(a, b);
  } else if constexpr (Count == 3) {
    auto& [a, b, c] = all;
    return std::tie(a, b, c);
  } else if constexpr (Count == 4) {
    auto& [a, b, c, d] = all;
    return std::tie(a, b, c, d);
  } else if constexpr (Count == 5) {
    auto& [a, b, c, d, e] = all;
    return std::tie(a, b, c, d, e);
  } else if constexpr (Count == 6) {
    auto& [a, b, c, d, e, f] = all;
    return std::tie(a, b, c, d, e, f);
  } else if constexpr (Count == 7) {
    auto& [a, b, c, d, e, f, g] = all;
    return std::tie(a, b, c, d, e, f, g);
  } else if constexpr (Count == 8) {
    auto& [a, b, c, d, e, f, g, h] = all;
    return std::tie(a, b, c, d, e, f, g, h);
  } else if constexpr (Count == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = all;
    return std::tie(a, b, c, d, e, f, g, h, i);
  } else if constexpr (Count == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (Count == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (Count == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = all;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
  } else {
    return tie_many<Count>(all);
  }
}

template <class References>
struct member_list;
template <class... Member>
struct member_list<std::tuple<Member&...>> {
  using type = std::tuple<std::remove_cv_t<Member>...>;
};

/// The types of the members, as a std::tuple.
template <row_struct T>
using members_of =
    typename member_list<decltype(tie_members<count_members<T>()>(std::declval<T&>()))>::type;

}  // namespace detail

}  // namespace v1
}  // namespace pgweir

/// \file
/// parameters: what stands for $1, $2, … in one call. Made on the stack for the time of the call;
/// texts and bytes are borrowed, and nothing is allocated for numbers.
#pragma once

#include <array>
#include <cstddef>

#include "pgweir/values/all.hpp"

namespace pgweir {
inline namespace v1 {

/// As many values as a call has, in their order. Borrowed from a `parameters`.
struct parameter_view {
  const encoded_value* values = nullptr;  ///< `count` of them.
  std::size_t count = 0;                  ///< As many as there are $1, $2, …
};

template <std::size_t Size>
class parameters {
 public:
  template <class... T>
  explicit parameters(const T&... values) {
    static_assert(Size <= 65'535, "PostgreSQL takes 65,535 parameters at most; use an array");
    std::size_t next = 0;
    (value_traits<T>::encode(values, values_[next++]), ...);
  }

  parameter_view view() const noexcept { return {values_.data(), Size}; }

 private:
  std::array<encoded_value, Size> values_;
};

template <>
class parameters<0> {
 public:
  parameter_view view() const noexcept { return {}; }
};

/// One for each value of the call.
template <class... T>
parameters(const T&...) -> parameters<sizeof...(T)>;

}  // namespace v1
}  // namespace pgweir

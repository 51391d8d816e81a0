/// \file
/// result<T>: a value or an error_info, what the try_ forms return. The names follow std::expected,
/// which C++20 lacks. It throws only where the value of an error is asked for.
#pragma once

#include <utility>
#include <variant>

#include "pgweir/error.hpp"

namespace pgweir {
inline namespace v1 {

template <class T>
class [[nodiscard]] result {
 public:
  result(T value)  // NOLINT(google-explicit-constructor): as std::expected.
      : state_(std::in_place_index<0>, std::move(value)) {}
  result(error_info error)  // NOLINT(google-explicit-constructor): as std::unexpected.
      : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Throws the error's leaf if there is no value.
  T& value() & {
    if (!has_value()) throw_error(error());
    return std::get<0>(state_);
  }
  const T& value() const& {
    if (!has_value()) throw_error(error());
    return std::get<0>(state_);
  }
  T&& value() && { return std::move(value()); }

  /// REQUIRES: has_value().
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(**this); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// REQUIRES: !has_value().
  error_info& error() & noexcept { return *std::get_if<1>(&state_); }
  const error_info& error() const& noexcept { return *std::get_if<1>(&state_); }
  error_info&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, error_info> state_;
};

}  // namespace v1
}  // namespace pgweir

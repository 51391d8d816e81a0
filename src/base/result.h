// Result<T>, Status and Error: expected failures as values. Not for our own bugs (base/assert.h).
//
// An Error carries the decision that it implies: which SQLSTATE a client is told, whose fault it
// was, and whether the work may be repeated. Our code neither throws nor catches; the one file that
// wraps a throwing library turns exceptions into an Error. The names follow std::expected, which
// both supported compilers lack in C++20.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace pgweir::base {

// What went wrong, as far as anybody decides on it. The SQLSTATE that a client sees is chosen in
// wire/sqlstate.h; metrics use the enumerator's name.
enum class ErrorCode {
  ProtocolViolation,     // A peer broke the protocol; its connection cannot be trusted any more.
  AuthenticationFailed,  // Wrong or missing credentials.
  TlsFailed,             // A handshake failed or TLS is required and missing.
  Refused,               // The other side said no for now (too many clients, starting up).
  Unreachable,           // No connection: refused, timed out, name not found.
  ConnectionLost,        // An established connection ended early.
  LimitReached,          // One of our own limits; the text says which and who holds it.
  Timeout,               // A deadline of ours passed.
  Unsupported,           // Well-formed, but not something we do.
  Configuration,         // A setting is wrong; context names it and its place.
  System,                // The operating system refused (descriptors, memory, files).
};

// Who caused it: whom to tell, whose connection to close, which counter to raise.
enum class Side { Client, Server, Self };

// Whether the failed work may be done again elsewhere.
enum class Retry {
  Never,
  BeforeFirstByteSent,  // Proven: no byte of it reached the other side.
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::System;
  Side side = Side::Self;
  Retry retry = Retry::Never;
  std::string context;  // A sentence for humans; never parsed.
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // REQUIRES: has_value().
  T& value() & {
    ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !has_value().
  Error& error() & {
    ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && { return std::move(error()); }

 private:
  std::variant<T, Error> state_;
};

// The Result of something that has no value: `Status` is success when default-constructed.
struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};
using Status = Result<Nothing>;
inline Status success() { return Nothing{}; }

}  // namespace pgweir::base

// The value of a Result; on failure returns its Error from the enclosing function.
#define TRY(expression)                                                  \
  __extension__({                                                        \
    auto try_result_ = (expression);                                     \
    if (!try_result_.has_value()) return std::move(try_result_).error(); \
    std::move(try_result_).value();                                      \
  })

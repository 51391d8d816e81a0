/// \file
/// What asio.hpp is made of, for either Asio: which one it is, and how an outcome reaches a
/// handler.
#pragma once

#include <exception>
#include <utility>

#ifdef PGWEIR_ASIO_STANDALONE
#include <asio.hpp>
#else
#include <boost/asio.hpp>
#endif

#include "pgweir/pending.hpp"

namespace pgweir {
inline namespace v1 {
namespace asio_adapter {

#ifdef PGWEIR_ASIO_STANDALONE
namespace asio = ::asio;
/// Of its handlers.
using error_code = std::error_code;
#else
namespace asio = ::boost::asio;
/// Of its handlers.
using error_code = ::boost::system::error_code;
#endif

/// The exception that result<T>::value() would throw; null where there is a value.
template <class T>
std::exception_ptr exception_of(const result<T>& outcome) {
  if (outcome) return nullptr;
  try {
    throw_error(outcome.error());
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace asio_adapter
}  // namespace v1
}  // namespace pgweir

#include "pgweir/error.hpp"

namespace pgweir {
inline namespace v1 {

error::error(error_info info) : std::runtime_error(info.text), info_(std::move(info)) {}

// Here, so that one library holds the type that programs catch.
error::~error() = default;

template class error_of<error_kind::config>;
template class error_of<error_kind::connect>;
template class error_of<error_kind::acquire_timeout>;
template class error_of<error_kind::queue_full>;
template class error_of<error_kind::pool_closed>;
template class error_of<error_kind::cancelled>;
template class error_of<error_kind::server>;
template class error_of<error_kind::value>;
template class error_of<error_kind::result_too_large>;
template class error_of<error_kind::outcome_unknown>;

void throw_error(error_info info) {
  switch (info.kind) {
    case error_kind::config: throw config_error(std::move(info));
    case error_kind::connect: throw connect_error(std::move(info));
    case error_kind::acquire_timeout: throw acquire_timeout(std::move(info));
    case error_kind::queue_full: throw queue_full(std::move(info));
    case error_kind::pool_closed: throw pool_closed(std::move(info));
    case error_kind::cancelled: throw cancelled(std::move(info));
    case error_kind::server: throw server_error(std::move(info));
    case error_kind::value: throw value_error(std::move(info));
    case error_kind::result_too_large: throw result_too_large(std::move(info));
    case error_kind::outcome_unknown: throw outcome_unknown(std::move(info));
  }
  throw error(std::move(info));
}

}  // namespace v1
}  // namespace pgweir

#include "pgweir/observer.hpp"

namespace pgweir {
inline namespace v1 {

pool_observer::~pool_observer() = default;

void pool_observer::on_acquired(std::chrono::nanoseconds, const code_location&) noexcept {}

void pool_observer::on_refused(error_kind, std::chrono::nanoseconds,
                               const code_location&) noexcept {}

void pool_observer::on_released(std::chrono::nanoseconds, const code_location&) noexcept {}

void pool_observer::on_opened(std::chrono::nanoseconds) noexcept {}

void pool_observer::on_login_failed(const sqlstate&, std::chrono::nanoseconds) noexcept {}

void pool_observer::on_closed() noexcept {}

}  // namespace v1
}  // namespace pgweir

#include "server/node_permits.h"

namespace pgweir::server {

bool NodePermits::try_take() {
  if (!std::exchange(has_kept_, false) && !exchange_.try_take(levels_).is_taken) return false;
  ++taken_;
  return true;
}

void NodePermits::give_back() {
  if (--taken_ == 0 && keeps_) {
    has_kept_ = true;
  } else {
    give_to_pools();
  }
}

void NodePermits::give_to_pools() {
  if (exchange_.give_back(levels_, false) != 0) freed_();
}

void NodePermits::set_limit(std::uint32_t limit) {
  keeps_ = limit >= control::kLastingLimitMin;
  if (!keeps_ && std::exchange(has_kept_, false)) give_to_pools();
}

}  // namespace pgweir::server

#include "server/node_permits.h"

namespace pgweir::server {

bool NodePermits::try_take() {
  return std::exchange(has_kept_, false) || exchange_.try_take(levels_).is_taken;
}

void NodePermits::give_back() {
  if (keeps_ && !has_kept_) {
    has_kept_ = true;
  } else if (exchange_.give_back(levels_, false) != 0) {
    freed_();
  }
}

void NodePermits::set_limit(std::uint32_t limit) {
  keeps_ = limit >= control::kLastingLimitMin;
  if (!keeps_ && std::exchange(has_kept_, false)) give_back();
}

}  // namespace pgweir::server

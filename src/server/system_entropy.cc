#include "server/system_entropy.h"

#include <string.h>
#include <sys/random.h>

#include <algorithm>

#include "base/assert.h"

namespace pgweir::server {

void SystemEntropy::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    if (left_ == 0) refill();
    const std::size_t part = std::min(left_, out.size());
    std::byte* from = pool_.data() + pool_.size() - left_;
    std::copy_n(from, part, out.begin());
    // Used once, and gone: a later look at our memory finds no nonce of a past login.
    ::explicit_bzero(from, part);
    left_ -= part;
    out = out.subspan(part);
  }
}

void SystemEntropy::refill() {
  while (left_ < pool_.size()) {
    const ssize_t got = ::getrandom(pool_.data() + left_, pool_.size() - left_, 0);
    ASSERT(got > 0);
    left_ += static_cast<std::size_t>(got);
  }
}

}  // namespace pgweir::server

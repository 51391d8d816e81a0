// SystemEntropy: unpredictable bytes from the kernel, fetched in blocks so that a login costs no
// system call of its own. One per thread.
#pragma once

#include <array>

#include "base/entropy.h"

namespace pgweir::server {

class SystemEntropy final : public base::Entropy {
 public:
  void fill(std::span<std::byte> out) override;

 private:
  void refill();

  std::array<std::byte, 4096> pool_{};
  std::size_t left_ = 0;
};

}  // namespace pgweir::server

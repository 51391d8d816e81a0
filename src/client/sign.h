// Sign: something that poll() sees once it was raised; for good.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

namespace pgweir::client {

class Sign {
 public:
  Sign() : descriptor_(::eventfd(0, EFD_CLOEXEC)) {}
  Sign(const Sign&) = delete;
  Sign& operator=(const Sign&) = delete;
  ~Sign() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  // Any thread.
  void raise() const { ::eventfd_write(descriptor_, 1); }
  // Readable once it was raised; -1 where the process has no descriptors left.
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

}  // namespace pgweir::client

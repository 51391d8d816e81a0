// StopSign: a stop token as something that poll() sees.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <optional>
#include <stop_token>

namespace pgweir::client {

class StopSign {
 public:
  explicit StopSign(const std::stop_token& token) {
    if (!token.stop_possible()) return;
    descriptor_ = ::eventfd(0, EFD_CLOEXEC);
    callback_.emplace(token, Raise{descriptor_});
  }
  StopSign(const StopSign&) = delete;
  StopSign& operator=(const StopSign&) = delete;
  ~StopSign() {
    callback_.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  // Becomes readable when a stop is requested; -1 where nobody can.
  int descriptor() const { return descriptor_; }

 private:
  struct Raise {
    int descriptor;
    void operator()() const { ::eventfd_write(descriptor, 1); }
  };
  int descriptor_ = -1;
  std::optional<std::stop_callback<Raise>> callback_;
};

}  // namespace pgweir::client

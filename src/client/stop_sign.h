// StopSign: a stop token as something that poll() sees.
#pragma once

#include <optional>
#include <stop_token>

#include "client/sign.h"

namespace pgweir::client {

class StopSign {
 public:
  explicit StopSign(const std::stop_token& token) {
    if (!token.stop_possible()) return;
    sign_.emplace();
    callback_.emplace(token, Raise{&*sign_});
  }
  StopSign(const StopSign&) = delete;
  StopSign& operator=(const StopSign&) = delete;
  ~StopSign() { callback_.reset(); }
  // Becomes readable when a stop is requested; -1 where nobody can.
  int descriptor() const { return sign_ ? sign_->descriptor() : -1; }

 private:
  struct Raise {
    const Sign* sign;
    void operator()() const { sign->raise(); }
  };
  std::optional<Sign> sign_;
  std::optional<std::stop_callback<Raise>> callback_;
};

}  // namespace pgweir::client

// LogLines: the library's log inside somebody else's program: quiet unless something is wrong, on
// standard error unless the program takes the lines itself.
#pragma once

#include <string>
#include <string_view>

#include "obs/log.h"
#include "pgweir/code_location.hpp"
#include "pgweir/log.hpp"

namespace pgweir::client {

class LogLines final : public obs::Sink {
 public:
  // wanted: PGWEIR_LOG, or nullptr. Warnings are written where it says nothing that is known.
  LogLines(log_function function, const char* wanted);

  obs::Log& log() { return log_; }

 private:
  void write(obs::Level level, std::string_view line) override;

  const log_function function_;
  bool is_off_ = false;
  obs::Log log_;
};

// "shop.cc:42".
std::string text_of(const code_location& where);

}  // namespace pgweir::client

// What budget/ may be told: the limit, or how to find it out. Values only.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace pgweir::budget {

struct Options {
  std::uint32_t connection_limit = 0;  // Of the whole process; 0 = auto, from what the server says.
  std::uint32_t margin = 0;            // Slots left alone under auto; 0 = auto: max(1, 3 %).

  base::Duration health_interval = std::chrono::seconds(1);  // While clients are active.
  // Without clients for so long, the service connection closes and the server may sleep.
  base::Duration monitor_idle = std::chrono::seconds(60);

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace pgweir::budget

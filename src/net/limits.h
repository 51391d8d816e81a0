// How many descriptors this process may hold: each client and each server costs one.
#pragma once

#include <cstdint>

namespace pgweir::net {

struct DescriptorLimit {
  std::uint64_t before = 0;  // The soft limit that the process was started with.
  std::uint64_t now = 0;     // After raising; UINT64_MAX where there is none.
};

// Raises RLIMIT_NOFILE to its hard limit. Where that is not allowed, `now` equals `before`.
DescriptorLimit raise_descriptor_limit();

}  // namespace pgweir::net

// fork_generation: tells a process from the one that forked it. What was opened before belongs to
// the parent: two processes on one connection mix their bytes (client-library reference, 4.9).
#pragma once

#include <cstdint>

namespace pgweir::client {

// Another one in a child than in its parent. Costs no system call. Never throws.
std::uint64_t fork_generation();

}  // namespace pgweir::client

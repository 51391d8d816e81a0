// What libFuzzer calls; it hands the input to the one target that is linked with it.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "fuzz_target.h"

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ASSERT(pgweir::fuzz::targets().size() == 1);
  pgweir::fuzz::targets().front().run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

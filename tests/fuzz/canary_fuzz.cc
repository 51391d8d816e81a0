// A target that must be caught: it shows that the fuzzers see the code they are meant to see.
#include "base/assert.h"
#include "fuzz_target.h"

namespace pgweir::fuzz {
namespace {

void fuzz_canary(base::Bytes input) {
  // Each comparison is a branch of its own, so that coverage leads the fuzzer from one to the next.
  const std::string_view text = base::as_text(input);
  if (text.size() < 3 || text[0] != 'p') return;
  if (text[1] != 'g') return;
  ASSERT(text[2] != 'w');
}

const Registration kRegistered("canary", fuzz_canary);

}  // namespace
}  // namespace pgweir::fuzz

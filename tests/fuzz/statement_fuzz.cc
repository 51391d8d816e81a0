// SQL texts from clients: their effects are bounded and the same however the text is cut on its
// way.
#include <algorithm>

#include "base/assert.h"
#include "fuzz_target.h"
#include "session/pin_set.h"
#include "session/statement_effect.h"

namespace pgweir::fuzz {
namespace {

using session::StatementEffects;

bool is_same(const StatementEffects& a, const StatementEffects& b) {
  const auto left = a.entries();
  const auto right = b.entries();
  return std::equal(left.begin(), left.end(), right.begin(), right.end()) &&
         a.statement_count() == b.statement_count() && a.is_complete() == b.is_complete();
}

// The first byte says how strings are read, the second where the text is cut.
void fuzz_statement(base::Bytes input) {
  if (input.size() < 2) return;
  const bool is_standard = input[0] != std::byte{'e'};
  const std::string_view text = base::as_text(input.subspan(2));
  const std::size_t cut = std::min(std::to_integer<std::size_t>(input[1]), text.size());

  const StatementEffects whole = session::analyse(text, is_standard);
  ASSERT(whole.entries().size() <= StatementEffects::kEntryCountMax);
  ASSERT(whole.entries().size() <= whole.statement_count());

  session::EffectAnalyser analyser;
  analyser.reset(is_standard);
  analyser.feed(text.substr(0, cut));
  analyser.feed(text.substr(cut));
  ASSERT(is_same(whole, analyser.finish()));

  session::PinSet pins;
  for (const session::StatementEffect& effect : whole.entries()) pins.apply(effect);
  ASSERT(whole.is_complete() || !pins.empty());
}

const Registration kRegistered("statement", fuzz_statement);

}  // namespace
}  // namespace pgweir::fuzz

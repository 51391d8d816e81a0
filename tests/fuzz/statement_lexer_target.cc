// SQL texts from clients: whatever they hold and however they are cut on their way, the effects are
// the same, bounded, and never allow more than a text that was not understood.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "session/pin_set.h"
#include "session/statement_effect.h"

using pgweir::session::analyse;
using pgweir::session::EffectAnalyser;
using pgweir::session::PinSet;
using pgweir::session::StatementEffect;
using pgweir::session::StatementEffects;

namespace {

bool is_same(const StatementEffects& a, const StatementEffects& b) {
  const auto left = a.entries();
  const auto right = b.entries();
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!(left[i] == right[i])) return false;
  }
  return a.statement_count() == b.statement_count() && a.is_complete() == b.is_complete();
}

}  // namespace

// The first byte says how strings are read, the second where the text is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool is_standard = data[0] % 2 == 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t cut = data[1] < text.size() ? data[1] : text.size();

  const StatementEffects whole = analyse(text, is_standard);
  ASSERT(whole.entries().size() <= StatementEffects::kEntryCountMax);
  ASSERT(whole.entries().size() <= whole.statement_count());

  EffectAnalyser analyser;
  analyser.reset(is_standard);
  analyser.feed(text.substr(0, cut));
  analyser.feed(text.substr(cut));
  ASSERT(is_same(whole, analyser.finish()));

  PinSet pins;
  for (const StatementEffect& effect : whole.entries()) pins.apply(effect);
  if (!whole.is_complete()) ASSERT(!pins.empty());
  return 0;
}

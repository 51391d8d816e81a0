#include "session/pin_set.h"

#include <bit>

namespace pgweir::session {

namespace {

std::uint32_t bit_of(PinReason reason) { return 1U << static_cast<std::uint8_t>(reason); }

std::uint32_t reasons_that(bool (*is_so)(PinReason)) {
  std::uint32_t mask = 0;
  for (std::uint8_t i = 0; i < kPinReasonCount; ++i) {
    const auto reason = static_cast<PinReason>(i);
    if (is_so(reason)) mask |= bit_of(reason);
  }
  return mask;
}

}  // namespace

static_assert(kPinReasonCount <= 32);

void PinSet::add(PinReason reason) {
  reasons_ |= bit_of(reason);
  undone_ &= ~bit_of(reason);
}

void PinSet::apply(const StatementEffect& effect) {
  switch (effect.kind) {
    case EffectKind::Pin: add(effect.reason); return;
    case EffectKind::Unpin: undone_ |= bit_of(effect.reason); return;
    case EffectKind::DeallocateAll: undone_ |= bit_of(PinReason::SqlPrepare); return;
    case EffectKind::DiscardAll: undone_ |= ~reasons_that(survives_discard_all); return;
    // Which of the undoings came after the savepoint is not remembered: none of them counts.
    case EffectKind::RollbackTo: undone_ = 0; return;
    case EffectKind::None:
    case EffectKind::SetParameter:
    case EffectKind::ResetParameter:
    case EffectKind::ResetAll:
    case EffectKind::Deallocate:
    case EffectKind::Savepoint:
    case EffectKind::Release:
    case EffectKind::Taint:
    case EffectKind::ReadOtherwise:
    case EffectKind::MayEndTransaction: return;
  }
}

void PinSet::handle_transaction_end(bool committed) {
  if (committed) reasons_ &= ~undone_;
  undone_ = 0;
}

bool PinSet::contains(PinReason reason) const { return (reasons_ & bit_of(reason)) != 0; }

std::optional<PinReason> PinSet::first_reason() const {
  if (empty()) return std::nullopt;
  return static_cast<PinReason>(std::countr_zero(reasons_));
}

bool PinSet::needs_close() const { return (reasons_ & reasons_that(session::needs_close)) != 0; }

}  // namespace pgweir::session

#include "session/pin_set.h"

#include <algorithm>
#include <bit>
#include <utility>

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

// A client that has more of them has lost count.
constexpr std::size_t kNamedMax = 64;

void PinSet::add(PinReason reason, const std::string& name) {
  reasons_ |= bit_of(reason);
  added_ |= bit_of(reason);
  asked_ &= ~bit_of(reason);
  undone_ &= ~bit_of(reason);
  const Named named{reason, name};
  std::erase(undone_named_, named);
  const bool is_known = std::find(named_.begin(), named_.end(), named) != named_.end();
  if (name.empty() || (!is_known && named_.size() == kNamedMax)) {
    nameless_ |= bit_of(reason);
  } else if (!is_known) {
    named_.push_back(named);
  }
}

void PinSet::undo(const Named& named) {
  if (named.name.empty()) {
    undone_ |= bit_of(named.reason);
  } else if (std::find(named_.begin(), named_.end(), named) != named_.end()) {
    undone_named_.push_back(named);
  }
}

void PinSet::apply(const StatementEffect& effect) {
  switch (effect.kind) {
    case EffectKind::MayPin:
      add(effect.reason);
      in_doubt_ |= bit_of(effect.reason);
      return;
    case EffectKind::MayUnpin: in_doubt_ |= bit_of(effect.reason); return;
    case EffectKind::Pin: add(effect.reason, effect.name); return;
    case EffectKind::Unpin: undo({effect.reason, effect.name}); return;
    case EffectKind::Deallocate: undo({PinReason::SqlPrepare, effect.name}); return;
    case EffectKind::DeallocateAll: undone_ |= bit_of(PinReason::SqlPrepare); return;
    case EffectKind::DiscardAll: undone_ |= ~reasons_that(survives_discard_all); return;
    // Which of the undoings came after the savepoint is not remembered: none of them counts.
    case EffectKind::RollbackTo:
      undone_ = 0;
      undone_named_.clear();
      in_doubt_ |= added_;
      return;
    case EffectKind::SetParameter:
    case EffectKind::ResetParameter: undo({PinReason::SetConfig, effect.name}); return;
    case EffectKind::ResetAll: undone_ |= bit_of(PinReason::SetConfig); return;
    case EffectKind::None:
    case EffectKind::Savepoint:
    case EffectKind::Release:
    case EffectKind::Taint:
    case EffectKind::ReadOtherwise:
    case EffectKind::MayEndTransaction: return;
  }
}

void PinSet::handle_transaction_end(bool committed) {
  const Mask undone = std::exchange(undone_, 0);
  const Mask added = std::exchange(added_, 0);
  const std::vector<Named> undone_named = std::exchange(undone_named_, {});
  // ON COMMIT DROP ends a temporary table with the transaction that made it.
  in_doubt_ |= committed ? added & bit_of(PinReason::TemporaryObject) : added;
  if (!committed) return;
  remove(undone);
  std::erase_if(named_, [&](const Named& named) {
    return std::find(undone_named.begin(), undone_named.end(), named) != undone_named.end();
  });
  for (const auto& [reason, name] : undone_named) {
    const bool is_last = std::none_of(named_.begin(), named_.end(), [reason = reason](auto& named) {
      return named.reason == reason;
    });
    if (is_last && (nameless_ & bit_of(reason)) == 0) reasons_ &= ~bit_of(reason);
  }
}

bool PinSet::is_in_doubt() const {
  if ((in_doubt_ & reasons_) == 0) return false;
  return (reasons_ & reasons_that([](PinReason reason) { return sign_of(reason).empty(); })) == 0;
}

std::string PinSet::take_question() {
  in_doubt_ = 0;
  asked_ = reasons_;
  std::string sql = "SELECT 1 WHERE true";
  for (std::uint8_t i = 0; i < kPinReasonCount; ++i) {
    const auto reason = static_cast<PinReason>(i);
    if (!contains(reason)) continue;
    sql += " AND NOT (";
    sql += sign_of(reason);
    sql += ')';
  }
  return sql;
}

void PinSet::settle_doubt() { remove(std::exchange(asked_, 0)); }

void PinSet::remove(Mask reasons) {
  reasons_ &= ~reasons;
  nameless_ &= ~reasons;
  std::erase_if(named_, [&](const Named& named) { return (bit_of(named.reason) & reasons) != 0; });
}

bool PinSet::contains(PinReason reason) const { return (reasons_ & bit_of(reason)) != 0; }

std::optional<PinReason> PinSet::first_reason() const {
  if (empty()) return std::nullopt;
  return static_cast<PinReason>(std::countr_zero(reasons_));
}

bool PinSet::needs_close() const { return (reasons_ & reasons_that(session::needs_close)) != 0; }

}  // namespace pgweir::session

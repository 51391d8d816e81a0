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

PinSet::State& PinSet::state() {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  return *state_;
}

void PinSet::shrink() {
  if (state_ != nullptr && *state_ == State{}) state_.reset();
}

void PinSet::add(PinReason reason, const std::string& name) {
  State& now = state();
  now.reasons |= bit_of(reason);
  now.added |= bit_of(reason);
  now.asked &= ~bit_of(reason);
  now.undone &= ~bit_of(reason);
  const Named named{reason, name};
  std::erase(now.undone_named, named);
  const bool is_known = std::find(now.named.begin(), now.named.end(), named) != now.named.end();
  if (name.empty() || (!is_known && now.named.size() == kNamedMax)) {
    now.nameless |= bit_of(reason);
  } else if (!is_known) {
    now.named.push_back(named);
  }
}

// Where nothing is in the set there is nothing to undo; what is added later is not undone by it.
void PinSet::undo(const Named& named) {
  if (state_ == nullptr) return;
  if (named.name.empty()) {
    state_->undone |= bit_of(named.reason);
  } else if (std::find(state_->named.begin(), state_->named.end(), named) != state_->named.end()) {
    state_->undone_named.push_back(named);
  }
}

void PinSet::undo_all(Mask which) {
  if (state_ != nullptr) state_->undone |= which;
}

void PinSet::apply(const StatementEffect& effect) {
  switch (effect.kind) {
    case EffectKind::MayPin:
      add(effect.reason);
      state().in_doubt |= bit_of(effect.reason);
      return;
    case EffectKind::MayUnpin: state().in_doubt |= bit_of(effect.reason); return;
    case EffectKind::Pin: add(effect.reason, effect.name); return;
    case EffectKind::Unpin: undo({effect.reason, effect.name}); return;
    case EffectKind::Deallocate: undo({PinReason::SqlPrepare, effect.name}); return;
    case EffectKind::DeallocateAll: undo_all(bit_of(PinReason::SqlPrepare)); return;
    case EffectKind::DiscardAll: undo_all(~reasons_that(survives_discard_all)); return;
    // Which of the undoings came after the savepoint is not remembered: none of them counts.
    case EffectKind::RollbackTo:
      if (state_ == nullptr) return;
      state_->undone = 0;
      state_->undone_named.clear();
      state_->in_doubt |= state_->added;
      return;
    case EffectKind::SetParameter:
    case EffectKind::ResetParameter: undo({PinReason::SetConfig, effect.name}); return;
    case EffectKind::ResetAll: undo_all(bit_of(PinReason::SetConfig)); return;
    case EffectKind::None:
    case EffectKind::Savepoint:
    case EffectKind::Release:
    case EffectKind::Taint:
    case EffectKind::ReadOtherwise:
    case EffectKind::MayEndTransaction: return;
  }
}

void PinSet::handle_transaction_end(bool committed) {
  if (state_ == nullptr) return;
  State& now = *state_;
  const Mask undone = std::exchange(now.undone, 0);
  const Mask added = std::exchange(now.added, 0);
  const std::vector<Named> undone_named = std::exchange(now.undone_named, {});
  // ON COMMIT DROP ends a temporary table with the transaction that made it.
  now.in_doubt |= committed ? added & bit_of(PinReason::TemporaryObject) : added;
  if (!committed) return;
  remove(undone);
  std::erase_if(now.named, [&](const Named& named) {
    return std::find(undone_named.begin(), undone_named.end(), named) != undone_named.end();
  });
  for (const auto& [reason, name] : undone_named) {
    const bool is_last =
        std::none_of(now.named.begin(), now.named.end(),
                     [reason = reason](const Named& named) { return named.reason == reason; });
    if (is_last && (now.nameless & bit_of(reason)) == 0) now.reasons &= ~bit_of(reason);
  }
  shrink();
}

bool PinSet::is_in_doubt() const {
  if (state_ == nullptr || (state_->in_doubt & state_->reasons) == 0) return false;
  return (reasons() & reasons_that([](PinReason reason) { return sign_of(reason).empty(); })) == 0;
}

std::string PinSet::take_question() {
  State& now = state();
  now.in_doubt = 0;
  now.asked = now.reasons;
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

void PinSet::settle_doubt() {
  if (state_ == nullptr) return;
  remove(std::exchange(state_->asked, 0));
  shrink();
}

void PinSet::remove(Mask which) {
  State& now = *state_;
  now.reasons &= ~which;
  now.nameless &= ~which;
  std::erase_if(now.named, [&](const Named& named) { return (bit_of(named.reason) & which) != 0; });
}

bool PinSet::contains(PinReason reason) const { return (reasons() & bit_of(reason)) != 0; }

std::optional<PinReason> PinSet::first_reason() const {
  if (empty()) return std::nullopt;
  return static_cast<PinReason>(std::countr_zero(reasons()));
}

bool PinSet::needs_close() const { return (reasons() & reasons_that(session::needs_close)) != 0; }

}  // namespace pgweir::session

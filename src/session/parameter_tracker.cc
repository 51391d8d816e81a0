#include "session/parameter_tracker.h"

#include <algorithm>

namespace pgweir::session {

ParameterTracker::ParameterTracker(ParameterTable& table, ParameterSetId startup)
    : table_(table), startup_(startup), committed_(startup) {
  table_.retain(startup_);
  table_.retain(committed_);
}

ParameterTracker::~ParameterTracker() {
  table_.release(startup_);
  table_.release(committed_);
}

void ParameterTracker::set(std::string_view name, ParameterValue value) {
  pending_.push_back(
      {.kind = Change::Kind::Set, .name = canonical_name(name), .value = std::move(value)});
}

void ParameterTracker::reset(std::string_view name) {
  pending_.push_back({.kind = Change::Kind::Reset, .name = canonical_name(name), .value = {}});
}

void ParameterTracker::reset_all() {
  pending_.push_back({.kind = Change::Kind::ResetAll, .name = {}, .value = {}});
}

void ParameterTracker::savepoint(std::string_view name) {
  pending_.push_back({.kind = Change::Kind::Savepoint, .name = std::string(name), .value = {}});
}

// The newest savepoint of that name stays; all after it is undone.
void ParameterTracker::rollback_to(std::string_view name) {
  for (std::size_t i = pending_.size(); i-- > 0;) {
    if (pending_[i].kind != Change::Kind::Savepoint || pending_[i].name != name) continue;
    pending_.resize(i + 1);
    return;
  }
}

// The savepoint and those after it go; what was changed since then stays.
void ParameterTracker::release(std::string_view name) {
  for (std::size_t i = pending_.size(); i-- > 0;) {
    if (pending_[i].kind != Change::Kind::Savepoint || pending_[i].name != name) continue;
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(i);
    pending_.erase(
        std::remove_if(first, pending_.end(),
                       [](const Change& change) { return change.kind == Change::Kind::Savepoint; }),
        pending_.end());
    return;
  }
}

void ParameterTracker::handle_reported(std::string_view name, std::string_view value) {
  const std::string key = canonical_name(name);
  const ParameterValue* known = table_.find(committed_, key);
  if (known != nullptr && !known->is_source && known->text == value) return;
  replace(table_.with(committed_, key, {.text = std::string(value), .is_source = false}));
}

void ParameterTracker::handle_transaction_end(bool is_committed) {
  if (pending_.empty()) return;
  if (is_committed) {
    for (Change& change : pending_) {
      switch (change.kind) {
        case Change::Kind::Set:
          replace(table_.with(committed_, change.name, std::move(change.value)));
          break;
        case Change::Kind::Reset: {
          const ParameterValue* at_start = table_.find(startup_, change.name);
          replace(at_start == nullptr ? table_.without(committed_, change.name)
                                      : table_.with(committed_, change.name, *at_start));
          break;
        }
        case Change::Kind::ResetAll:
          table_.retain(startup_);
          replace(startup_);
          break;
        case Change::Kind::Savepoint: break;
      }
    }
  }
  pending_.clear();
}

// Takes over the caller's reference.
void ParameterTracker::replace(ParameterSetId next) {
  table_.release(committed_);
  committed_ = next;
}

}  // namespace pgweir::session

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

void ParameterTracker::handle_transaction_end(bool is_committed, ParameterSetId& on_server) {
  if (is_committed) {
    for (Change& change : pending_) apply(std::move(change), on_server);
  }
  pending_.clear();
}

void ParameterTracker::apply(Change change, ParameterSetId& on_server) {
  switch (change.kind) {
    case Change::Kind::Set:
      std::erase(restored_, change.name);
      replace(on_server, table_.with(on_server, change.name, change.value));
      replace(committed_, table_.with(committed_, change.name, std::move(change.value)));
      return;
    case Change::Kind::Reset:
      restore(change.name);
      replace(on_server, table_.without(on_server, change.name));
      return;
    case Change::Kind::ResetAll:
      restore_all();
      replace(on_server, ParameterSetId::Empty);
      return;
    case Change::Kind::Savepoint: return;
  }
}

void ParameterTracker::restore(std::string_view name) {
  const ParameterValue* at_start = table_.find(startup_, name);
  if (at_start == nullptr) {
    replace(committed_, table_.without(committed_, name));
    return;
  }
  replace(committed_, table_.with(committed_, name, *at_start));
  restored_.emplace_back(name);
}

void ParameterTracker::restore_all() {
  table_.retain(startup_);
  replace(committed_, startup_);
  restored_.clear();
  for (const auto& [name, value] : table_.at(startup_)) restored_.push_back(name);
}

void ParameterTracker::handle_reported(std::string_view name, std::string_view value,
                                       ParameterSetId& on_server) {
  const std::string key = canonical_name(name);
  if (is_restored(key)) return;
  const ParameterValue plain{.text = std::string(value), .is_source = false};
  replace(committed_, table_.with(committed_, key, plain));
  replace(on_server, table_.with(on_server, key, plain));
}

const ParameterValue* ParameterTracker::restored(std::string_view name) const {
  const std::string key = canonical_name(name);
  for (std::size_t i = pending_.size(); i-- > 0;) {
    const Change& change = pending_[i];
    const bool is_named = change.name == key;
    if (change.kind == Change::Kind::Set && is_named) return nullptr;
    if (change.kind == Change::Kind::ResetAll || (change.kind == Change::Kind::Reset && is_named)) {
      return table_.find(startup_, key);
    }
  }
  return is_restored(key) ? table_.find(startup_, key) : nullptr;
}

bool ParameterTracker::is_restored(std::string_view name) const {
  return std::find(restored_.begin(), restored_.end(), name) != restored_.end();
}

void ParameterTracker::replace(ParameterSetId& held, ParameterSetId next) {
  table_.release(held);
  held = next;
}

}  // namespace pgweir::session

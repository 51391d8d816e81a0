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

ParameterTracker::Memory& ParameterTracker::memory() {
  if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
  return *memory_;
}

void ParameterTracker::settle() {
  if (memory_ == nullptr) return;
  memory_->restored.clear();
  if (memory_->pending.empty()) memory_.reset();
}

void ParameterTracker::set(std::string_view name, ParameterValue value) {
  memory().pending.push_back(
      {.kind = Change::Kind::Set, .name = canonical_name(name), .value = std::move(value)});
}

void ParameterTracker::reset(std::string_view name) {
  memory().pending.push_back(
      {.kind = Change::Kind::Reset, .name = canonical_name(name), .value = {}});
  memory().has_strayed = startup_ != ParameterSetId::Empty;
}

void ParameterTracker::reset_all() {
  memory().pending.push_back({.kind = Change::Kind::ResetAll, .name = {}, .value = {}});
  memory().has_strayed = startup_ != ParameterSetId::Empty;
}

void ParameterTracker::savepoint(std::string_view name) {
  memory().pending.push_back(
      {.kind = Change::Kind::Savepoint, .name = std::string(name), .value = {}});
}

// The newest savepoint of that name stays; all after it is undone.
void ParameterTracker::rollback_to(std::string_view name) {
  std::vector<Change>& pending = memory().pending;
  for (std::size_t i = pending.size(); i-- > 0;) {
    if (pending[i].kind != Change::Kind::Savepoint || pending[i].name != name) continue;
    pending.resize(i + 1);
    memory().has_strayed = startup_ != ParameterSetId::Empty;  // What was set since is undone, too.
    return;
  }
}

// The savepoint and those after it go; what was changed since then stays.
void ParameterTracker::release(std::string_view name) {
  std::vector<Change>& pending = memory().pending;
  for (std::size_t i = pending.size(); i-- > 0;) {
    if (pending[i].kind != Change::Kind::Savepoint || pending[i].name != name) continue;
    const auto first = pending.begin() + static_cast<std::ptrdiff_t>(i);
    pending.erase(
        std::remove_if(first, pending.end(),
                       [](const Change& change) { return change.kind == Change::Kind::Savepoint; }),
        pending.end());
    return;
  }
}

ParameterSet ParameterTracker::take_strayed() {
  ParameterSet strayed;
  for (const auto& [name, value] : table_.at(startup_)) {
    const Change* last = last_change_of(name);
    if (last != nullptr && last->kind != Change::Kind::Set) strayed.emplace_back(name, value);
  }
  for (const auto& [name, value] : strayed) set(name, value);
  if (memory_ != nullptr) memory_->has_strayed = false;
  return strayed;
}

void ParameterTracker::handle_transaction_end(bool is_committed, ParameterSetId& on_server) {
  if (memory_ == nullptr) return;
  if (is_committed) {
    for (Change& change : memory_->pending) apply(std::move(change), on_server);
  }
  memory_->pending.clear();
  memory_->has_strayed = false;
  if (memory_->restored.empty()) memory_.reset();
}

void ParameterTracker::apply(Change change, ParameterSetId& on_server) {
  switch (change.kind) {
    case Change::Kind::Set:
      std::erase(memory().restored, change.name);
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
  memory().restored.emplace_back(name);
}

void ParameterTracker::restore_all() {
  table_.retain(startup_);
  replace(committed_, startup_);
  std::vector<std::string>& restored = memory().restored;
  restored.clear();
  for (const auto& [name, value] : table_.at(startup_)) restored.push_back(name);
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
  const Change* last = last_change_of(key);
  const bool leads_back = last == nullptr ? is_restored(key) : last->kind != Change::Kind::Set;
  return leads_back ? table_.find(startup_, key) : nullptr;
}

const ParameterTracker::Change* ParameterTracker::last_change_of(std::string_view key) const {
  if (memory_ == nullptr) return nullptr;
  const std::vector<Change>& pending = memory_->pending;
  const auto last = std::find_if(pending.rbegin(), pending.rend(), [key](const Change& change) {
    return change.kind == Change::Kind::ResetAll ||
           (change.kind != Change::Kind::Savepoint && change.name == key);
  });
  return last == pending.rend() ? nullptr : &*last;
}

bool ParameterTracker::is_restored(std::string_view name) const {
  if (memory_ == nullptr) return false;
  const std::vector<std::string>& restored = memory_->restored;
  return std::find(restored.begin(), restored.end(), name) != restored.end();
}

void ParameterTracker::replace(ParameterSetId& held, ParameterSetId next) {
  table_.release(held);
  held = next;
}

}  // namespace pgweir::session

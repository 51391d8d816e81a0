#include "session/prepared_statements.h"

#include <algorithm>

#include "base/assert.h"

namespace pgweir::session {
namespace {

// A client that prepares more than this has lost count; each costs memory here and on servers.
constexpr std::size_t kNamedMax = 20'000;
constexpr std::size_t kNamedBytesMax = std::size_t{256} * 1024 * 1024;

}  // namespace

ClientStatements::~ClientStatements() {
  clear();
  rebind("", StatementId::None);
}

StatementId ClientStatements::find(std::string_view name) const {
  return name.empty() ? unnamed_ : named_.find(name);
}

base::Status ClientStatements::define(std::string_view name, StatementId id, std::uint32_t tag) {
  const bool is_full = named_.size() >= kNamedMax || named_bytes_ >= kNamedBytesMax;
  if (is_full && !name.empty()) {
    table_.release(id);
    return base::Error{.code = base::ErrorCode::LimitReached,
                       .side = base::Side::Client,
                       .context =
                           "too many prepared statements on one connection; close those that "
                           "are not in use"};
  }
  log_.push_back({.tag = tag, .name = std::string(name), .before = find(name)});
  put(name, id);
  return base::success();
}

void ClientStatements::remove(std::string_view name, std::uint32_t tag) {
  const StatementId before = find(name);
  if (before == StatementId::None) return;
  log_.push_back({.tag = tag, .name = std::string(name), .before = before});
  put(name, StatementId::None);
}

// What the name stood for before belongs to the log now.
void ClientStatements::put(std::string_view name, StatementId id) {
  if (name.empty()) {
    unnamed_ = id;
    return;
  }
  named_bytes_ += bytes_of(id);
  named_bytes_ -= bytes_of(find(name));
  if (id == StatementId::None) {
    named_.erase(name);
  } else {
    named_.set(name, id);
  }
}

std::size_t ClientStatements::bytes_of(StatementId id) const {
  const Statement* statement = table_.find(id);
  return statement == nullptr ? 0 : statement->query.size();
}

void ClientStatements::rebind(std::string_view name, StatementId id) {
  const StatementId before = find(name);
  put(name, id);
  if (before != StatementId::None) table_.release(before);
}

void ClientStatements::clear() {
  commit(UINT32_MAX);
  named_.for_each([this](std::string_view, StatementId id) { table_.release(id); });
  named_.clear();
  named_bytes_ = 0;
}

void ClientStatements::undo(std::uint32_t tag) {
  for (std::size_t i = log_.size(); i-- > 0 && log_[i].tag >= tag;) {
    if (log_[i].tag == tag) revert(i);
  }
}

void ClientStatements::revert(std::size_t index) {
  const Undo undo = std::move(log_[index]);
  const auto place = log_.erase(log_.begin() + static_cast<std::ptrdiff_t>(index));
  const auto later =
      std::find_if(place, log_.end(), [&](const Undo& other) { return other.name == undo.name; });
  if (later != log_.end()) {
    // The name stands for something newer; what this request made of it is not to come back.
    if (later->before != StatementId::None) table_.release(later->before);
    later->before = undo.before;
    return;
  }
  const StatementId now = find(undo.name);
  put(undo.name, undo.before);
  if (now != StatementId::None) table_.release(now);
}

void ClientStatements::forget_unnamed(std::uint32_t tag) {
  const auto later = std::find_if(log_.begin(), log_.end(), [&](const Undo& other) {
    return other.tag > tag && other.name.empty();
  });
  if (later == log_.end()) return rebind("", StatementId::None);
  if (later->before != StatementId::None) table_.release(later->before);
  later->before = StatementId::None;
}

void ClientStatements::commit(std::uint32_t tag) {
  std::size_t count = 0;
  while (count < log_.size() && log_[count].tag <= tag) {
    const StatementId before = log_[count++].before;
    if (before != StatementId::None) table_.release(before);
  }
  if (count == log_.size() && count != 0 && !log_.back().name.empty()) {
    // A statement with a name is prepared once, and the session may rest for long; an unnamed one
    // comes with each transaction.
    log_ = {};
    return;
  }
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(count));
}

bool ClientStatements::is_in_doubt(std::string_view name, std::uint32_t tag,
                                   bool is_to_be_defined) const {
  if (name.empty()) return false;
  return std::any_of(log_.begin(), log_.end(), [&](const Undo& undo) {
    const bool makes_a_difference = is_to_be_defined || undo.before != StatementId::None;
    return undo.tag <= tag && undo.name == name && makes_a_difference;
  });
}

std::string_view ClientStatements::name_of(StatementId id) const {
  std::string_view found;
  named_.for_each([&](std::string_view name, StatementId statement) {
    if (statement == id) found = name;
  });
  return found;
}

ServerStatements::~ServerStatements() {
  clear();
  set_unnamed(StatementId::None);
}

void ServerStatements::use(StatementId id) {
  Slot& slot = slots_.at(id);
  slot.batch = batch_;
  slot.unlink();
  recency_.push_back(slot);
}

// Takes over a reference to the statement. REQUIRES: !contains(id).
void ServerStatements::add(StatementId id, const std::string* name) {
  Slot& slot = slots_[id];
  slot.id = id;
  slot.name = name;
  use(id);
}

// The table's name may belong to one that was retired since, or to one whose Close may yet fail.
void ServerStatements::insert(StatementId id) {
  if (contains(id)) return use(id);
  const bool is_taken =
      find_closing(id) != closing_.end() || names_.contains(table_.at(id).server_name);
  table_.retain(id);
  add(id, is_taken ? &*names_.insert(table_.make_name()).first : nullptr);
}

void ServerStatements::adopt(StatementId id, std::string_view name) {
  const Statement& statement = table_.at(id);
  if (contains(id)) return keep_unused(statement.query, statement.types, name);
  table_.retain(id);
  add(id, name == statement.server_name ? nullptr : &*names_.emplace(name).first);
}

// No client reads so: the statement is like no other.
void ServerStatements::keep_unused(std::string_view query, base::Bytes types,
                                   std::string_view name) {
  const StatementId id = table_.intern(query, types, "unused " + std::string(name));
  adopt(id, name);
  table_.release(id);
}

void ServerStatements::forget_name(const std::string* name) {
  if (name != nullptr) names_.erase(names_.find(*name));
}

std::string_view ServerStatements::name_of(StatementId id) const {
  const auto slot = slots_.find(id);
  const std::string* name = nullptr;
  if (slot != slots_.end()) {
    name = slot->second.name;
  } else {
    for (const Closing& closing : closing_)
      if (closing.id == id) name = closing.name;
  }
  return name != nullptr ? *name : table_.at(id).server_name;
}

void ServerStatements::remove(StatementId id) {
  const auto slot = slots_.find(id);
  if (slot == slots_.end()) return;
  forget_name(slot->second.name);
  slots_.erase(slot);
  table_.release(id);
}

void ServerStatements::clear() {
  for (const auto& [id, slot] : slots_) table_.release(id);
  slots_.clear();
  for (const Closing& closing : closing_) table_.release(closing.id);
  closing_.clear();
  names_.clear();
}

void ServerStatements::set_unnamed(StatementId id) {
  if (id != StatementId::None) table_.retain(id);
  if (unnamed_ != StatementId::None) table_.release(unnamed_);
  unnamed_ = id;
}

StatementId ServerStatements::take_surplus(std::size_t count_max) {
  if (slots_.size() <= count_max) return StatementId::None;
  const Slot* oldest = recency_.front();
  if (oldest->batch == batch_) return StatementId::None;
  const StatementId id = oldest->id;
  closing_.push_back({id, oldest->name});
  slots_.erase(id);
  return id;
}

std::vector<ServerStatements::Closing>::iterator ServerStatements::find_closing(StatementId id) {
  return std::find_if(closing_.begin(), closing_.end(),
                      [id](const Closing& closing) { return closing.id == id; });
}

void ServerStatements::confirm_closed(StatementId id) {
  const auto at = find_closing(id);
  if (at == closing_.end()) return;  // DISCARD ALL came first.
  forget_name(at->name);
  closing_.erase(at);
  table_.release(id);
}

void ServerStatements::restore(StatementId id) {
  const auto at = find_closing(id);
  if (at == closing_.end()) return;
  const std::string* const known = at->name;
  closing_.erase(at);
  if (!contains(id)) return add(id, known);
  // It was prepared anew meanwhile, under another name.
  const Statement& statement = table_.at(id);
  const std::string name = known != nullptr ? *known : statement.server_name;
  forget_name(known);
  keep_unused(statement.query, statement.types, name);
  table_.release(id);
}

}  // namespace pgweir::session

#include "client/batch.h"

#include <string_view>
#include <utility>

#include "base/assert.h"

namespace pgweir::client {
namespace {

// A statement by name that is not there, and a name that is there already.
constexpr std::string_view kNoSuchStatement = "26000";
constexpr std::string_view kSuchStatement = "42P05";
// "cached plan must not change result type", and where alone PostgreSQL says so.
constexpr std::string_view kNotSupported = "0A000";
constexpr std::string_view kWhereOutdated = "RevalidateCachedQuery";

std::string_view field_of(const PGresult* error, int field) {
  const char* text = PQresultErrorField(error, field);
  return text == nullptr ? std::string_view() : text;
}

}  // namespace

Batch::Batch(Server& server, std::span<const Statement> own, std::size_t prepared_max)
    : server_(server) {
  ASSERT(own.size() <= kOwnMax);
  if (std::exchange(server.must_roll_back, false)) {
    add({.text = "rollback"});
  } else if (PQtransactionStatus(server.connection.get()) == PQTRANS_INERROR) {
    prepared_max = 0;  // Nothing works there.
  }
  own_begin_ = count_;
  for (const Statement& one : own) {
    if (one.may_be_prepared && !named_at_) {
      plan_ = cache().make_plan(one.text, one.types, prepared_max);
    }
    if (one.may_be_prepared && has_name() && !named_at_) {
      add_named(one);
    } else {
      add(one);
    }
  }
}

// Behind a BEGIN: PostgreSQL takes a snapshot to prepare, and a transaction that has one changes
// its isolation level no more.
void Batch::add_named(const Statement& own) {
  if (plan_.leaving != nullptr) {
    deallocate_ = std::string("deallocate ") + plan_.leaving->name();
    deallocate_at_ = count_;
    add({.text = deallocate_.c_str()});
  }
  Statement named = own;
  named.name = plan_.entry->name();
  if (plan_.prepares) {
    prepare_at_ = count_;
    named.prepares = true;
    named.comes_by_row = false;
    add(named);
  }
  named_at_ = count_;
  named.prepares = false;
  named.comes_by_row = own.comes_by_row;
  add(named);
}

std::optional<std::size_t> Batch::own_index(std::size_t index) const {
  if (index < own_begin_ || index == deallocate_at_ || index == prepare_at_) return std::nullopt;
  std::size_t ahead = own_begin_;
  if (deallocate_at_ && *deallocate_at_ < index) ++ahead;
  if (prepare_at_ && *prepare_at_ < index) ++ahead;
  return index - ahead;
}

void Batch::note_success(std::size_t index) {
  if (index == deallocate_at_) cache().note_deallocated(plan_);
  if (index == prepare_at_) {
    cache().note_prepared(plan_);
    plan_.prepares = false;
  }
}

Blame Batch::note_failure(std::size_t index, const PGresult* error) {
  if (!has_name()) return Blame::None;
  const std::string_view state = field_of(error, PG_DIAG_SQLSTATE);
  const bool is_named = index == named_at_;
  if (state == kNoSuchStatement && (is_named || index == deallocate_at_)) {
    cache().clear();
    plan_ = {};
    return Blame::Lost;
  }
  if (state == kSuchStatement && index == prepare_at_) {
    cache().note_unknown(plan_);
    plan_ = {};
    return Blame::Lost;
  }
  if (is_named && state == kNotSupported &&
      field_of(error, PG_DIAG_SOURCE_FUNCTION) == kWhereOutdated) {
    cache().note_outdated(plan_);
    return Blame::Outdated;
  }
  return Blame::None;
}

void Batch::note_end(bool is_known) {
  if (!has_name() || !plan_.prepares) return;
  if (is_known) {
    cache().note_not_done(plan_);
  } else {
    cache().note_unknown(plan_);
  }
  plan_ = {};
}

}  // namespace pgweir::client

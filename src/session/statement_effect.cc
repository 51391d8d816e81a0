#include "session/statement_effect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "session/plain_statement.h"
#include "session/set_statement.h"
#include "session/token_cursor.h"

namespace pgweir::session {

namespace {

StatementEffect pin(PinReason reason, std::string name = {}) {
  return {EffectKind::Pin, reason, std::move(name), {}};
}
StatementEffect unpin(PinReason reason, std::string name = {}) {
  return {EffectKind::Unpin, reason, std::move(name), {}};
}
StatementEffect may_pin(PinReason reason) { return {EffectKind::MayPin, reason, {}, {}}; }
StatementEffect may_unpin(PinReason reason) { return {EffectKind::MayUnpin, reason, {}, {}}; }
StatementEffect taint(PinReason reason) { return {EffectKind::Taint, reason, {}, {}}; }
StatementEffect only(EffectKind kind) { return {kind, {}, {}, {}}; }
StatementEffect not_understood() { return pin(PinReason::NotUnderstood); }

// The name that ends the statement.
StatementEffect named(EffectKind kind, TokenCursor& cursor) {
  if (!cursor.has_next()) return not_understood();
  std::string name = name_of(cursor.take());
  if (name.empty() || !cursor.is_at_end()) return not_understood();
  return {kind, {}, std::move(name), {}};
}

// Empty if there is none that could be told again.
std::string next_name(TokenCursor& cursor) {
  return cursor.has_next() ? name_of(cursor.take()) : std::string();
}

StatementEffect read_discard(TokenCursor cursor) {
  if (cursor.accept_word("all")) return only(EffectKind::DiscardAll);
  if (cursor.accept_word("plans")) return {};
  if (cursor.accept_word("sequences")) return unpin(PinReason::SequenceValue);
  if (cursor.accept_word("temp") || cursor.accept_word("temporary")) {
    return unpin(PinReason::TemporaryObject);
  }
  return not_understood();
}

// PREPARE TRANSACTION 'x', but PREPARE transaction AS …
StatementEffect read_prepare(TokenCursor cursor) {
  if (cursor.accept_word("transaction") && cursor.has_next() &&
      cursor.peek().kind != TokenKind::Word && cursor.peek().kind != TokenKind::Symbol) {
    return {};
  }
  return pin(PinReason::SqlPrepare, next_name(cursor));
}

StatementEffect read_deallocate(TokenCursor cursor) {
  if (cursor.has_next(1)) cursor.accept_word("prepare");
  if (cursor.accept_word("all")) return only(EffectKind::DeallocateAll);
  return named(EffectKind::Deallocate, cursor);
}

StatementEffect read_savepoint(TokenCursor cursor) { return named(EffectKind::Savepoint, cursor); }

StatementEffect read_release(TokenCursor cursor) {
  if (cursor.has_next(1)) cursor.accept_word("savepoint");
  return named(EffectKind::Release, cursor);
}

// ROLLBACK itself ends the transaction, as the server's answer tells.
StatementEffect read_rollback(TokenCursor cursor) {
  if (!cursor.accept_word("work")) cursor.accept_word("transaction");
  if (!cursor.accept_word("to")) return {};
  if (cursor.has_next(1)) cursor.accept_word("savepoint");
  return named(EffectKind::RollbackTo, cursor);
}

StatementEffect unpin_named(PinReason reason, TokenCursor& cursor) {
  std::string name = next_name(cursor);
  return name.empty() ? StatementEffect{} : unpin(reason, std::move(name));
}

StatementEffect read_unlisten(TokenCursor cursor) {
  if (cursor.accept_symbol('*')) return unpin(PinReason::Listen);
  return unpin_named(PinReason::Listen, cursor);
}

StatementEffect read_close(TokenCursor cursor) {
  if (cursor.accept_word("all")) return unpin(PinReason::HoldCursor);
  return unpin_named(PinReason::HoldCursor, cursor);
}

// DECLARE name [options] CURSOR [WITH HOLD] FOR …
StatementEffect read_declare(TokenCursor cursor) {
  const std::string name = next_name(cursor);
  while (cursor.has_next() && !cursor.next_is_word("for")) {
    if (cursor.accept_word("with") && cursor.next_is_word("hold")) {
      return pin(PinReason::HoldCursor, name);
    }
    if (cursor.has_next()) cursor.take();
  }
  // Options may be repeated until none of the tokens kept is the FOR.
  return cursor.has_next() ? StatementEffect{} : pin(PinReason::HoldCursor, name);
}

// ('name', value, false) and nothing behind it: RESET of that parameter ends it. The two that have
// words of their own for it are left to StatementWatch.
StatementEffect read_set_config(TokenCursor& cursor) {
  std::string name = cursor.accept_symbol('(') ? take_parameter_string(cursor) : std::string();
  if (name == "role" || name == "session_authorization") return {};
  if (name.empty() || !cursor.accept_symbol(',')) return {};
  cursor.accept_symbol('$');
  if (!cursor.has_next()) return {};
  cursor.take();
  const bool lasts = cursor.accept_symbol(',') && cursor.accept_word("false") &&
                     cursor.accept_symbol(')') && cursor.is_at_end();
  return lasts ? pin(PinReason::SetConfig, std::move(name)) : StatementEffect{};
}

// A call and nothing else, so that nothing else in it can take a lock, say.
StatementEffect read_select(TokenCursor cursor) {
  if (cursor.accept_word("pg_catalog") && !cursor.accept_symbol('.')) return {};
  if (cursor.accept_word("set_config")) return read_set_config(cursor);
  const bool is_unlock = cursor.accept_word("pg_advisory_unlock_all") &&
                         cursor.accept_symbol('(') && cursor.accept_symbol(')') &&
                         cursor.is_at_end();
  return is_unlock ? unpin(PinReason::AdvisoryLock) : StatementEffect{};
}

// With pg_temp in front of search_path, be it by the role's default, any CREATE makes a temporary
// object. The script of an extension may do anything.
StatementEffect read_create(TokenCursor cursor) {
  return taint(cursor.accept_word("extension") ? PinReason::NotUnderstood
                                               : PinReason::TemporaryObject);
}

StatementEffect read_alter(TokenCursor cursor) {
  return cursor.accept_word("extension") ? taint(PinReason::NotUnderstood) : StatementEffect{};
}

StatementEffect read_drop(TokenCursor /*cursor*/) { return may_unpin(PinReason::TemporaryObject); }

// CALL, and what commits by itself: old servers let it do so in the middle of a pipeline.
StatementEffect read_call(TokenCursor /*cursor*/) { return only(EffectKind::MayEndTransaction); }

StatementEffect read_harmless(TokenCursor /*cursor*/) { return {}; }
StatementEffect read_listen(TokenCursor cursor) {
  return pin(PinReason::Listen, next_name(cursor));
}
StatementEffect read_load(TokenCursor /*cursor*/) { return pin(PinReason::Load); }
StatementEffect read_do(TokenCursor /*cursor*/) { return pin(PinReason::AnonymousBlock); }

struct Rule {
  std::string_view keyword;
  StatementEffect (*read)(TokenCursor behind_keyword);
};

// The frequent ones first. What changes a session in the middle of a harmless statement is found by
// StatementWatch. SET and RESET are not here: they need to know how strings are read.
constexpr std::array kRules = {
    Rule{"select", read_select},
    Rule{"insert", read_harmless},
    Rule{"update", read_harmless},
    Rule{"begin", read_harmless},
    Rule{"commit", read_harmless},
    Rule{"delete", read_harmless},
    Rule{"with", read_harmless},
    Rule{"rollback", read_rollback},
    Rule{"start", read_harmless},
    Rule{"end", read_harmless},
    Rule{"abort", read_harmless},
    Rule{"savepoint", read_savepoint},
    Rule{"release", read_release},
    Rule{"deallocate", read_deallocate},
    Rule{"discard", read_discard},
    Rule{"copy", read_harmless},
    Rule{"show", read_harmless},
    Rule{"fetch", read_harmless},
    Rule{"merge", read_harmless},
    Rule{"values", read_harmless},
    Rule{"table", read_harmless},
    Rule{"explain", read_harmless},
    Rule{"declare", read_declare},
    Rule{"close", read_close},
    Rule{"move", read_harmless},
    Rule{"execute", read_harmless},
    Rule{"prepare", read_prepare},
    Rule{"listen", read_listen},
    Rule{"unlisten", read_unlisten},
    Rule{"notify", read_harmless},
    Rule{"call", read_call},
    Rule{"lock", read_harmless},
    Rule{"create", read_create},
    Rule{"alter", read_alter},
    Rule{"drop", read_drop},
    Rule{"truncate", read_harmless},
    Rule{"grant", read_harmless},
    Rule{"revoke", read_harmless},
    Rule{"comment", read_harmless},
    Rule{"security", read_harmless},
    Rule{"vacuum", read_call},
    Rule{"analyze", read_harmless},
    Rule{"analyse", read_harmless},
    Rule{"reindex", read_call},
    Rule{"cluster", read_call},
    Rule{"checkpoint", read_harmless},
    Rule{"refresh", read_harmless},
    Rule{"import", read_harmless},
    Rule{"reassign", read_harmless},
    Rule{"load", read_load},
    Rule{"do", read_do},
};

StatementEffect read(const StatementHead& head, bool standard_conforming_strings) {
  TokenCursor cursor(head);
  if (cursor.accept_word("set")) return read_set(cursor, standard_conforming_strings);
  if (cursor.accept_word("reset")) return read_reset(cursor, standard_conforming_strings);
  for (const Rule& rule : kRules) {
    if (cursor.accept_word(rule.keyword)) return rule.read(cursor);
  }
  return not_understood();
}

// What was found inside a statement, joined with what the statement is.
StatementEffect also_pin(const StatementEffect& effect, PinReason reason) {
  if (effect == may_unpin(reason)) return may_pin(reason);
  if (effect.kind != EffectKind::Pin) return pin(reason);
  if (effect.reason == reason) return effect;
  return pin(combine(effect.reason, reason));
}

// Whether a lock was taken or is left only the server knows.
StatementEffect also_doubt_locks(const StatementEffect& effect) {
  if (effect.kind == EffectKind::None) return may_unpin(PinReason::AdvisoryLock);
  return effect == pin(PinReason::AdvisoryLock) ? may_pin(PinReason::AdvisoryLock) : effect;
}

StatementEffect also_taint(const StatementEffect& effect, PinReason reason) {
  if (effect.kind == EffectKind::None) return taint(reason);
  if (effect.kind == EffectKind::Pin) return pin(combine(effect.reason, reason));
  if (effect.kind != EffectKind::Taint) return not_understood();
  return effect.reason == reason ? effect : taint(PinReason::NotUnderstood);
}

// A pin, or a name that is not known before it runs, lets nobody share what is parsed behind it.
StatementEffect also_read_otherwise(const StatementEffect& effect) {
  if (effect.kind == EffectKind::None) return only(EffectKind::ReadOtherwise);
  if (effect.kind == EffectKind::Pin) return effect;
  const bool may_be_any = effect == taint(PinReason::RandomSeed);
  return may_be_any ? effect : not_understood();
}

}  // namespace

std::span<const StatementEffect> StatementEffects::entries() const {
  if (many_.empty()) return {&first_, entry_count_};
  return many_;
}

void StatementEffects::add(StatementEffect effect) {
  if (!is_complete_) return;
  ++statement_count_;
  if (effect.kind == EffectKind::None) return;
  if (statement_count_ > kEntryCountMax) {
    give_up();
    return;
  }
  entry_count_ = statement_count_;
  if (entry_count_ == 1) {
    first_ = std::move(effect);
    return;
  }
  if (many_.empty()) many_.push_back(std::exchange(first_, {}));
  many_.resize(entry_count_ - 1);
  many_.push_back(std::move(effect));
}

void StatementEffects::give_up() {
  if (!is_complete_) return;
  // One place after the last statement that is understood, or the last that there is room for.
  statement_count_ = std::min(statement_count_, kEntryCountMax - 1);
  add(not_understood());
  is_complete_ = false;
}

void EffectAnalyser::reset(bool standard_conforming_strings) {
  standard_conforming_strings_ = standard_conforming_strings;
  lexer_.reset(standard_conforming_strings);
  effects_ = {};
}

void EffectAnalyser::feed(std::string_view part) {
  while (lexer_.scan(part)) handle_statement();
}

StatementEffects EffectAnalyser::finish() {
  if (lexer_.finish()) handle_statement();
  if (lexer_.is_lost()) effects_.give_up();
  return std::exchange(effects_, {});
}

void EffectAnalyser::handle_statement() {
  StatementEffect effect = read(lexer_.statement(), standard_conforming_strings_);
  const StatementWatch& watch = lexer_.watch();
  if (watch.pin_reason()) effect = also_pin(effect, *watch.pin_reason());
  // A cursor does in some later FETCH what its query says.
  const bool happens_later = TokenCursor(lexer_.statement()).next_is_word("declare");
  if (watch.pin_reason() && happens_later) effect = not_understood();
  if (watch.taint_reason()) effect = also_taint(effect, *watch.taint_reason());
  if (watch.reads_otherwise()) effect = also_read_otherwise(effect);
  if (watch.leaves_locks_in_doubt()) effect = also_doubt_locks(effect);
  effects_.add(std::move(effect));
}

StatementEffects analyse(std::string_view text, bool standard_conforming_strings) {
  if (is_plain_statement(text)) {
    StatementEffects effects;
    effects.add({});
    return effects;
  }
  EffectAnalyser analyser;
  analyser.reset(standard_conforming_strings);
  analyser.feed(text);
  return analyser.finish();
}

}  // namespace pgweir::session

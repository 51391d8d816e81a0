#include "session/set_statement.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "session/ascii_case.h"
#include "session/client_encoding.h"
#include "session/reading.h"
#include "session/temporary_schema.h"

namespace pgweir::session {

namespace {

struct Reading {
  bool standard_conforming_strings;
  bool is_local;
};

struct Assignment {
  std::string name;
  bool is_default = false;           // To the value that RESET gives.
  std::optional<std::string> value;  // Empty: not understood, unless is_default.
};

StatementEffect pin(PinReason reason) { return {EffectKind::Pin, reason, {}, {}}; }
StatementEffect not_understood() { return pin(PinReason::NotUnderstood); }

// Other names are possible as custom parameters of old servers; repeating them safely is not worth
// it.
bool is_plain_name(std::string_view name) {
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_later = [&](char c) { return is_first(c) || (c >= '0' && c <= '9') || c == '$'; };
  return !name.empty() && is_first(name.front()) && std::all_of(name.begin(), name.end(), is_later);
}

// Parameters have no case, whether quoted or not.
std::string take_name_part(TokenCursor& cursor) {
  if (!cursor.has_next()) return {};
  std::string part = folded(name_of(cursor.take()));
  return is_plain_name(part) ? part : std::string();
}

// Empty if it is none that can be repeated.
std::string take_parameter_name(TokenCursor& cursor) {
  std::string name = take_name_part(cursor);
  while (!name.empty() && cursor.accept_symbol('.')) {
    const std::string part = take_name_part(cursor);
    if (part.empty()) return {};
    name += '.';
    name += part;
  }
  return name;
}

// The same string for any standard_conforming_strings: with backslashes only as E'…'.
std::string neutral_string(const Token& string, bool standard_conforming_strings) {
  std::string text(string.text);
  if (string.kind == TokenKind::EscapeString || text.find('\\') == text.npos) return text;
  std::string neutral = "E";
  for (const char c : text) {
    neutral += c;
    if (c == '\\' && standard_conforming_strings) neutral += c;
  }
  return neutral;
}

std::optional<std::string> take_value(TokenCursor& cursor, const Reading& reading) {
  std::string sign;
  if (cursor.accept_symbol('-')) {
    sign = "-";
  } else {
    cursor.accept_symbol('+');
  }
  if (!cursor.has_next()) return std::nullopt;
  const Token token = cursor.take();
  if (token.is_cut) return std::nullopt;
  switch (token.kind) {
    case TokenKind::Number: return sign + std::string(token.text);
    case TokenKind::Word:
    case TokenKind::QuotedName:
      if (!sign.empty()) return std::nullopt;
      return std::string(token.text);
    case TokenKind::String:
    case TokenKind::EscapeString:
      if (!sign.empty()) return std::nullopt;
      return neutral_string(token, reading.standard_conforming_strings);
    case TokenKind::UnicodeName:
    case TokenKind::OtherString:
    case TokenKind::Symbol: return std::nullopt;
  }
  return std::nullopt;
}

// One token for each value: two strings in a row would be one that nobody has looked at as a whole.
std::optional<std::string> take_value_list(TokenCursor& cursor, const Reading& reading) {
  std::optional<std::string> list = take_value(cursor, reading);
  while (list && cursor.accept_symbol(',')) {
    const std::optional<std::string> value = take_value(cursor, reading);
    if (!value) return std::nullopt;
    *list += ", ";
    *list += *value;
  }
  return cursor.is_at_end() ? list : std::nullopt;
}

Assignment assign_rest(std::string name, TokenCursor& cursor, const Reading& reading) {
  Assignment assignment{.name = std::move(name), .is_default = false, .value = {}};
  if (cursor.accept_word("default")) {
    assignment.is_default = cursor.is_at_end();
  } else {
    assignment.value = take_value_list(cursor, reading);
  }
  return assignment;
}

// SET TIME ZONE INTERVAL '…' has no spelling as a plain parameter.
Assignment assign_time_zone(TokenCursor& cursor, const Reading& reading) {
  if (cursor.accept_word("local")) {
    return {.name = "timezone", .is_default = cursor.is_at_end(), .value = {}};
  }
  return assign_rest("timezone", cursor, reading);
}

Assignment assign_names(TokenCursor& cursor, const Reading& reading) {
  if (cursor.is_at_end()) return {.name = "client_encoding", .is_default = true, .value = {}};
  return assign_rest("client_encoding", cursor, reading);
}

Assignment assign_generic(TokenCursor& cursor, const Reading& reading) {
  std::string name = take_parameter_name(cursor);
  // FROM CURRENT among others.
  if (!cursor.accept_word("to") && !cursor.accept_symbol('=')) name.clear();
  return assign_rest(std::move(name), cursor, reading);
}

// `SET role.x = 1`, `SET schema = 'x'`: the keyword is here (the beginning of) a parameter's name.
bool is_name_of_parameter(const TokenCursor& cursor) {
  return cursor.next_is_symbol('.', 1) || cursor.next_is_symbol('=', 1) ||
         cursor.next_is_word("to", 1);
}

Assignment read_assignment(TokenCursor& cursor, const Reading& reading) {
  if (is_name_of_parameter(cursor)) return assign_generic(cursor, reading);
  if (cursor.accept_word("time")) {
    return cursor.accept_word("zone") ? assign_time_zone(cursor, reading) : Assignment{};
  }
  if (cursor.accept_word("names")) return assign_names(cursor, reading);
  if (cursor.accept_word("schema")) return assign_rest("search_path", cursor, reading);
  if (cursor.accept_word("role")) return assign_rest("role", cursor, reading);
  if (cursor.accept_word("xml")) {
    return cursor.accept_word("option") ? assign_rest("xmloption", cursor, reading) : Assignment{};
  }
  return assign_generic(cursor, reading);
}

bool is_transaction_parameter(std::string_view name) {
  return name == "transaction_isolation" || name == "transaction_read_only" ||
         name == "transaction_deferrable";
}

// Once it is off, texts that are already on their way would be read wrongly.
bool keeps_strings_standard(const Assignment& assignment, const Reading& reading) {
  if (!reading.standard_conforming_strings) return false;
  return assignment.is_default || assignment.value == "on" || assignment.value == "'on'" ||
         assignment.value == "ON" || assignment.value == "true" || assignment.value == "1";
}

// In an encoding where a byte of ASCII may be half of a character, texts are not read at all.
bool keeps_texts_readable(const Assignment& assignment) {
  if (assignment.is_default) return true;
  return assignment.value && assignment.value->find('\\') == std::string::npos &&
         is_ascii_superset(*assignment.value);
}

// What is beyond means something else wherever the client_encoding is another one.
bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// No way back for sure: a role may be the login's default (ALTER ROLE … SET role).
bool is_none(const Assignment& role) { return role.value && folded(*role.value) == "none"; }

StatementEffect judge(Assignment assignment, const Reading& reading) {
  const std::string& name = assignment.name;
  if (name.empty()) return reading.is_local ? StatementEffect{} : not_understood();
  if (is_transaction_parameter(name)) return {};
  if (name == "seed") return pin(PinReason::RandomSeed);
  // Also if it is local: what is created meanwhile outlives the transaction.
  if (name == "search_path" && !assignment.is_default) {
    if (!assignment.value || may_name_temporary_schema(*assignment.value)) {
      return pin(PinReason::TemporarySchema);
    }
  }
  if (name == "standard_conforming_strings" && !keeps_strings_standard(assignment, reading)) {
    return not_understood();
  }
  if (name == "client_encoding" && !keeps_texts_readable(assignment)) return not_understood();
  if (reading.is_local) {
    return decides_reading(name) ? StatementEffect{EffectKind::ReadOtherwise, {}, {}, {}}
                                 : StatementEffect{};
  }
  const bool is_role = name == "role";
  if (is_role || name == "session_authorization") {
    return {assignment.is_default            ? EffectKind::Unpin
            : is_role && is_none(assignment) ? EffectKind::MayPin
                                             : EffectKind::Pin,
            is_role ? PinReason::SetRole : PinReason::SessionAuthorization,
            {},
            {}};
  }
  if (assignment.is_default) {
    return {EffectKind::ResetParameter, {}, std::move(assignment.name), {}};
  }
  // A value that cannot be repeated; RESET ends it all the same.
  if (!assignment.value || !is_ascii(*assignment.value)) {
    return {EffectKind::Pin, PinReason::SetConfig, std::move(assignment.name), {}};
  }
  return {EffectKind::SetParameter, {}, std::move(assignment.name), std::move(*assignment.value)};
}

// SET SESSION CHARACTERISTICS AS TRANSACTION with one mode, as drivers send it.
std::optional<Assignment> read_characteristics(TokenCursor& cursor) {
  if (!cursor.accept_word("as") || !cursor.accept_word("transaction")) return std::nullopt;
  Assignment assignment;
  if (cursor.accept_word("isolation") && cursor.accept_word("level")) {
    assignment.name = "default_transaction_isolation";
    if (cursor.accept_word("serializable")) assignment.value = "'serializable'";
    if (cursor.accept_word("repeatable") && cursor.accept_word("read")) {
      assignment.value = "'repeatable read'";
    }
    if (cursor.accept_word("read")) {
      if (cursor.accept_word("committed")) assignment.value = "'read committed'";
      if (cursor.accept_word("uncommitted")) assignment.value = "'read uncommitted'";
    }
  } else if (cursor.accept_word("read")) {
    assignment.name = "default_transaction_read_only";
    if (cursor.accept_word("only")) assignment.value = "on";
    if (cursor.accept_word("write")) assignment.value = "off";
  } else {
    assignment.name = "default_transaction_deferrable";
    const bool is_off = cursor.accept_word("not");
    if (cursor.accept_word("deferrable")) assignment.value = is_off ? "off" : "on";
  }
  if (!assignment.value || !cursor.is_at_end()) return std::nullopt;
  return assignment;
}

}  // namespace

std::string take_parameter_string(TokenCursor& cursor) {
  if (!cursor.has_next() || cursor.peek().kind != TokenKind::String) return {};
  const Token token = cursor.take();
  if (token.is_cut || token.text.size() < 2) return {};
  std::string name = folded(token.text.substr(1, token.text.size() - 2));
  std::string_view rest = name;
  while (true) {
    const std::size_t dot = rest.find('.');
    if (!is_plain_name(rest.substr(0, dot))) return {};
    if (dot == std::string_view::npos) return name;
    rest.remove_prefix(dot + 1);
  }
}

StatementEffect read_set(TokenCursor cursor, bool standard_conforming_strings) {
  Reading reading{.standard_conforming_strings = standard_conforming_strings, .is_local = false};
  if (!is_name_of_parameter(cursor)) {
    reading.is_local = cursor.accept_word("local");
    // SET SESSION x, SET SESSION AUTHORIZATION and SET SESSION SESSION AUTHORIZATION.
    bool has_session = false;
    while (cursor.next_is_word("session") && !is_name_of_parameter(cursor)) {
      cursor.accept_word("session");
      has_session = true;
    }
    if (has_session && cursor.accept_word("authorization")) {
      return judge(assign_rest("session_authorization", cursor, reading), reading);
    }
    if (has_session && cursor.accept_word("characteristics")) {
      std::optional<Assignment> assignment = read_characteristics(cursor);
      if (!assignment) return pin(PinReason::SetConfig);
      reading.is_local = false;  // SET LOCAL SESSION CHARACTERISTICS is not local at all.
      return judge(std::move(*assignment), reading);
    }
  }
  if (!is_name_of_parameter(cursor) &&
      (cursor.accept_word("transaction") || cursor.accept_word("constraints"))) {
    return {};
  }
  return judge(read_assignment(cursor, reading), reading);
}

StatementEffect read_reset(TokenCursor cursor, bool standard_conforming_strings) {
  const Reading reading{.standard_conforming_strings = standard_conforming_strings,
                        .is_local = false};
  if (cursor.accept_word("all")) {
    return cursor.is_at_end() ? StatementEffect{EffectKind::ResetAll, {}, {}, {}}
                              : not_understood();
  }
  Assignment assignment{.name = {}, .is_default = true, .value = {}};
  if (cursor.next_is_word("session") && cursor.next_is_word("authorization", 1)) {
    cursor.take();
    cursor.take();
    assignment.name = "session_authorization";
  } else if (cursor.next_is_word("time") && cursor.next_is_word("zone", 1)) {
    cursor.take();
    cursor.take();
    assignment.name = "timezone";
  } else if (cursor.next_is_word("transaction") && cursor.next_is_word("isolation", 1)) {
    return {};
  } else {
    assignment.name = take_parameter_name(cursor);
  }
  return cursor.is_at_end() ? judge(std::move(assignment), reading) : not_understood();
}

}  // namespace pgweir::session

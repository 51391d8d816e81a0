#include "sim/sql.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace pgweir::sim {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

// Words, quoted names and literals (without their quotes); comments are left out.
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (text.substr(i, 2) == "/*") {
      i = std::min(text.find("*/", i), text.size() - 2) + 2;
    } else if (c == '\'' || c == '"') {
      const std::size_t end = std::min(text.find(c, i + 1), text.size());
      tokens.emplace_back(text.substr(i + 1, end - i - 1));
      i = end + 1;
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      const std::size_t start = i;
      while (i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
                                 text[i] == '_' || text[i] == '.')) {
        ++i;
      }
      tokens.emplace_back(text.substr(start, i - start));
    } else {
      if (std::isspace(static_cast<unsigned char>(c)) == 0) tokens.emplace_back(1, c);
      ++i;
    }
  }
  return tokens;
}

// The number behind the given text, or 0.
double number_after(std::string_view text, std::string_view lead) {
  const std::size_t at = text.find(lead);
  return at == std::string_view::npos
             ? 0
             : std::strtod(std::string(text.substr(at + lead.size(), 20)).c_str(), nullptr);
}

// "my"."tag" in pgweir's replay is my.tag in a client's SET.
std::string take_name(const std::vector<std::string>& tokens, std::size_t& at) {
  std::string name = at < tokens.size() ? tokens[at++] : "";
  while (at + 1 < tokens.size() && tokens[at] == ".") {
    name += "." + tokens[at + 1];
    at += 2;
  }
  for (const auto& [known, value] : server_settings()) {
    if (upper(known) == upper(name)) return known;
  }
  return name;
}

void parse_set(const std::vector<std::string>& tokens, Statement& statement) {
  std::size_t at = 1;
  statement.verb = Verb::Set;
  if (tokens.size() > 1 && upper(tokens[1]) == "LOCAL") {
    statement.verb = Verb::SetLocal;
    ++at;
  }
  statement.name = take_name(tokens, at);
  ++at;  // TO or =
  while (at < tokens.size()) statement.value += tokens[at++];
}

void parse_select(std::string_view text, Statement& statement) {
  if (text.starts_with("SELECT 1 WHERE")) {
    statement.verb = Verb::Inquire;
  } else if (text.find("1/0") != std::string_view::npos) {
    statement.verb = Verb::Fail;
  } else if (text.find("pg_sleep(") != std::string_view::npos) {
    statement.verb = Verb::Sleep;
    statement.sleep =
        base::Duration(static_cast<base::Duration::rep>(number_after(text, "pg_sleep(") * 1e9));
  } else if (text.find("generate_series(1, ") != std::string_view::npos) {
    statement.verb = Verb::Rows;
    statement.count = static_cast<std::size_t>(number_after(text, "generate_series(1, "));
    statement.bytes = static_cast<std::size_t>(number_after(text, "repeat('x', "));
  }
}

std::string word_at(const std::vector<std::string>& tokens, std::size_t index) {
  return index < tokens.size() ? tokens[index] : std::string();
}

void parse_copy(std::string_view text, const std::vector<std::string>& tokens,
                Statement& statement) {
  const bool is_in = upper(word_at(tokens, 2)) == "FROM";
  statement.verb = is_in ? Verb::CopyIn : Verb::CopyOut;
  if (!is_in) {
    parse_select(text, statement);
    statement.verb = Verb::CopyOut;
  }
}

std::optional<Statement> parse_statement(std::string_view text) {
  const std::vector<std::string> tokens = tokens_of(text);
  if (tokens.empty()) return std::nullopt;
  Statement statement{.text = std::string(text), .mark = find_mark(text)};
  const std::string verb = upper(tokens[0]);
  const std::string second = upper(word_at(tokens, 1));
  std::size_t at = 1;
  if (verb == "SELECT" && second == "PG_CATALOG.SET_CONFIG") {
    statement.verb = Verb::SetConfig;
    at = 3;  // Behind the parenthesis.
    statement.name = take_name(tokens, at);
    statement.value = word_at(tokens, at + 1);
  } else if (verb == "SELECT") {
    parse_select(text, statement);
  } else if (verb == "SET") {
    parse_set(tokens, statement);
  } else if (verb == "RESET") {
    statement.verb = second == "ALL" ? Verb::ResetAll : Verb::Reset;
    statement.name = take_name(tokens, at);
  } else if (verb == "SHOW") {
    statement.verb = Verb::Show;
    statement.name = take_name(tokens, at);
  } else if (verb == "BEGIN") {
    statement.verb = Verb::Begin;
  } else if (verb == "COMMIT") {
    statement.verb = Verb::Commit;
  } else if (verb == "ROLLBACK") {
    statement.verb = second == "TO" ? Verb::RollbackTo : Verb::Rollback;
    statement.name = word_at(tokens, 2);
  } else if (verb == "SAVEPOINT") {
    statement.verb = Verb::Savepoint;
    statement.name = word_at(tokens, 1);
  } else if (verb == "RELEASE") {
    statement.verb = Verb::Release;
    statement.name = word_at(tokens, 1);
  } else if (verb == "DISCARD") {
    statement.verb = Verb::DiscardAll;
  } else if (verb == "DEALLOCATE") {
    statement.verb = second == "ALL" ? Verb::DeallocateAll : Verb::Deallocate;
    statement.name = word_at(tokens, 1);
  } else if (verb == "COPY") {
    parse_copy(text, tokens, statement);
  } else if (verb == "LISTEN") {
    statement.verb = Verb::Listen;
  } else if (verb == "UNLISTEN") {
    statement.verb = Verb::Unlisten;
  } else if (verb == "CREATE") {
    statement.verb = Verb::TempTable;
  } else if (verb == "DROP") {
    statement.verb = Verb::DropTable;
  }
  return statement;
}

}  // namespace

std::string to_text(Mark mark) {
  return "#" + std::to_string(mark.client) + "." + std::to_string(mark.sequence) + "#";
}

Mark find_mark(std::string_view text) {
  const std::size_t at = text.find('#');
  if (at == std::string_view::npos) return {};
  const std::string rest(text.substr(at + 1, 24));
  char* end = nullptr;
  const unsigned long client = std::strtoul(rest.c_str(), &end, 10);
  if (*end != '.') return {};
  const unsigned long sequence = std::strtoul(end + 1, &end, 10);
  if (*end != '#') return {};
  return {static_cast<std::uint32_t>(client), static_cast<std::uint32_t>(sequence)};
}

std::vector<Statement> parse_text(std::string_view text) {
  std::vector<Statement> statements;
  char quote = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ';';
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ';') {
      if (auto statement = parse_statement(text.substr(start, i - start))) {
        statements.push_back(std::move(*statement));
      }
      start = i + 1;
    }
  }
  return statements;
}

bool returns_rows(Verb verb) {
  return verb == Verb::Echo || verb == Verb::Sleep || verb == Verb::Rows || verb == Verb::Fail ||
         verb == Verb::Show || verb == Verb::SetConfig || verb == Verb::Inquire;
}

const Settings& server_settings() {
  static const Settings settings{
      {"application_name", ""}, {"client_encoding", "UTF8"},           {"DateStyle", "ISO, MDY"},
      {"TimeZone", "Etc/UTC"},  {"search_path", "\"$user\",public"},   {"statement_timeout", "0"},
      {"my.tag", "none"},       {"standard_conforming_strings", "on"},
  };
  return settings;
}

std::string canonical_value(std::string_view name, std::string_view value) {
  if (name != "DateStyle" || value.find(',') != std::string_view::npos) return std::string(value);
  return std::string(value) + (value == "German" ? ", DMY" : ", MDY");
}

bool is_reported(std::string_view name) {
  return name == "application_name" || name == "client_encoding" || name == "DateStyle" ||
         name == "TimeZone" || name == "standard_conforming_strings";
}

SessionModel::SessionModel(Settings defaults)
    : defaults_(std::move(defaults)), now_{.lasting = defaults_, .shown = defaults_} {}

void SessionModel::begin_statement() {
  if (!before_) before_ = now_;
}

std::string SessionModel::apply(const Statement& statement) {
  switch (statement.verb) {
    case Verb::Begin: is_in_block_ = true; return "BEGIN";
    case Verb::Commit: {
      const bool is_committed = !is_failed_;
      end_transaction(is_committed);
      return is_committed ? "COMMIT" : "ROLLBACK";
    }
    case Verb::Rollback: end_transaction(false); return "ROLLBACK";
    case Verb::Savepoint: savepoints_.emplace_back(statement.name, now_); return "SAVEPOINT";
    case Verb::RollbackTo:
      while (savepoints_.back().first != statement.name) savepoints_.pop_back();
      now_ = savepoints_.back().second;
      is_failed_ = false;
      return "ROLLBACK";
    case Verb::Release:
      while (savepoints_.back().first != statement.name) savepoints_.pop_back();
      savepoints_.pop_back();
      return "RELEASE";
    case Verb::SetConfig: set(statement.name, statement.value, false); break;
    case Verb::Set: set(statement.name, statement.value, false); return "SET";
    case Verb::SetLocal:
      if (is_in_block_) set(statement.name, statement.value, true);
      return "SET";
    case Verb::Reset: set(statement.name, defaults_[statement.name], false); return "RESET";
    case Verb::ResetAll: now_.lasting = now_.shown = defaults_; return "RESET";
    case Verb::DiscardAll: now_ = {.lasting = defaults_, .shown = defaults_}; return "DISCARD ALL";
    case Verb::Deallocate: return "DEALLOCATE";
    case Verb::DeallocateAll: return "DEALLOCATE ALL";
    case Verb::Listen: now_.is_listening = true; return "LISTEN";
    case Verb::Unlisten: now_.is_listening = false; return "UNLISTEN";
    case Verb::TempTable: now_.has_temp_table = true; return "CREATE TABLE";
    case Verb::DropTable: now_.has_temp_table = false; return "DROP TABLE";
    case Verb::Show: return "SHOW";
    case Verb::CopyIn:
    case Verb::CopyOut: return "COPY";
    case Verb::Echo:
    case Verb::Sleep:
    case Verb::Rows:
    case Verb::Inquire:
    case Verb::Fail: break;
  }
  return "SELECT";
}

void SessionModel::set(const std::string& name, const std::string& value, bool is_local) {
  now_.shown[name] = canonical_value(name, value);
  if (!is_local) now_.lasting[name] = now_.shown[name];
}

// PostgreSQL takes settings back the moment a statement fails, as far as the savepoint if there
// is one.
void SessionModel::fail() {
  if (before_) now_ = savepoints_.empty() ? *before_ : savepoints_.back().second;
  is_failed_ = is_in_block_;
}

void SessionModel::end_transaction(bool is_committed) {
  if (!is_committed && before_) now_ = *before_;
  now_.shown = now_.lasting;
  savepoints_.clear();
  is_in_block_ = is_failed_ = false;
  before_.reset();
}

void SessionModel::end_batch() {
  if (!is_in_block_) end_transaction(true);
}

const std::string& SessionModel::value(const std::string& name) const {
  return now_.shown.at(name);
}

std::string SessionModel::digest() const {
  std::string line;
  for (const auto& [name, value] : now_.shown) line += name + "=" + value + ";";
  if (now_.is_listening) line += "listening;";
  if (now_.has_temp_table) line += "temporary table;";
  return line;
}

std::string SessionModel::reading() const {
  return value("DateStyle") + " " + value("TimeZone") + " " + value("standard_conforming_strings");
}

bool SessionModel::has_state_in(std::string_view question) const {
  const auto asks = [&](const char* catalog) { return question.find(catalog) != question.npos; };
  return (asks("pg_listening_channels") && now_.is_listening) ||
         (asks("pg_my_temp_schema") && now_.has_temp_table);
}

bool SessionModel::has_savepoint(std::string_view name) const {
  return std::any_of(savepoints_.begin(), savepoints_.end(),
                     [&](const auto& savepoint) { return savepoint.first == name; });
}

}  // namespace pgweir::sim

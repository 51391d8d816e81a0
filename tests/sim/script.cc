#include "sim/script.h"

#include <utility>

#include "wire/frame.h"
#include "wire/query.h"

namespace pgweir::sim {

void Script::query(std::string_view text) {
  wire::encode_query(bytes, text);
  const std::vector<Statement> statements = parse_text(text);
  if (statements.empty()) expect({.type = 'I'});
  for (const Statement& statement : statements) {
    expect_answer(statement, statement.text, {}, true);
    if (statement.verb == Verb::Fail) break;
  }
  expect({.type = 'Z'});
}

void Script::expect_answer(const Statement& statement, const std::string& query,
                           const std::string& argument, bool is_simple) {
  if (statement.verb == Verb::Fail) {
    expect({.type = 'E', .text = "22012"});
    return;
  }
  if (statement.verb == Verb::CopyIn) {
    expect({.type = 'G', .text = {}, .statement = statement});
  } else if (statement.verb == Verb::CopyOut) {
    expect({.type = 'H'});
    for (std::size_t i = 0; i < statement.count; ++i) {
      expect({.type = 'd', .text = {}, .statement = statement, .index = i});
    }
    expect({.type = 'c'});
  } else if (returns_rows(statement.verb)) {
    if (is_simple) expect({.type = 'T'});
    for (std::size_t i = 0; i < statement.count; ++i) {
      expect({.type = 'D', .text = argument, .statement = statement, .query = query, .index = i});
      if (!is_simple) expected_.back().prepared = bound_;
    }
  }
  expect({.type = 'C', .text = argument, .statement = statement});
}

void Script::parse(std::string_view name, std::string_view text) {
  wire::encode_parse(bytes, name, text, {});
  expect({.type = '1', .text = std::string(name), .query = std::string(text)});
}

void Script::bind(std::string_view name, std::string_view argument) {
  bound_ = name;
  const std::size_t tail_bytes = argument.empty() ? 6 : 10 + argument.size();
  wire::encode_bind_head(bytes, "", name, tail_bytes);
  base::ByteWriter writer(bytes);
  writer.u16(0);
  writer.u16(argument.empty() ? 0 : 1);
  if (!argument.empty()) {
    writer.u32(static_cast<std::uint32_t>(argument.size()));
    writer.text(argument);
  }
  writer.u16(0);
  expect({.type = '2'});
}

void Script::describe_statement(std::string_view name, std::string_view text) {
  wire::encode_describe(bytes, 'S', name);
  expect({.type = 't'});
  const std::vector<Statement> statements = parse_text(text);
  expect({.type = !statements.empty() && returns_rows(statements[0].verb) ? 'T' : 'n'});
}

void Script::describe_portal(std::string_view text) {
  wire::encode_describe(bytes, 'P', "");
  const std::vector<Statement> statements = parse_text(text);
  expect({.type = !statements.empty() && returns_rows(statements[0].verb) ? 'T' : 'n'});
}

void Script::execute(std::string_view text, std::string_view argument) {
  wire::encode_execute(bytes, "", 0);
  std::vector<Statement> statements = parse_text(text);
  if (statements.empty()) {
    expect({.type = 'I'});
    return;
  }
  Statement& statement = statements[0];
  if (statement.mark.client == 0) statement.mark = find_mark(argument);
  expect_answer(statement, std::string(text), std::string(argument), false);
}

void Script::close(std::string_view name) {
  wire::encode_close(bytes, 'S', name);
  expect({.type = '3', .text = std::string(name)});
}

void Script::function_call(std::string_view argument) {
  {
    wire::FrameWriter writer(bytes, 'F');
    writer.u32(2000);
    writer.u16(0);
    writer.u16(1);
    writer.u32(static_cast<std::uint32_t>(argument.size()));
    writer.text(argument);
    writer.u16(0);
  }
  expect({.type = 'V', .text = std::string(argument)});
  expect({.type = 'Z'});
}

void Script::sync() {
  wire::encode_sync(bytes);
  expect({.type = 'Z'});
}

void Script::flush() { wire::encode_flush(bytes); }

void Script::send_unanswered(std::string_view name, std::string_view argument) {
  std::deque<Expected> kept = expected_;
  bind(name, argument);
  wire::encode_execute(bytes, "", 0);
  expected_ = std::move(kept);
}

void Script::parse_unanswered(std::string_view name, std::string_view text) {
  wire::encode_parse(bytes, name, text, {});
}

void Script::set_count_of_copy(std::size_t count) {
  for (Expected& expected : expected_) {
    if (expected.statement) expected.statement->count = count;
  }
}

void Script::expect_error(std::string_view sqlstate) {
  expected_.pop_back();
  expect({.type = 'E', .text = std::string(sqlstate)});
}

void Script::skip_to_ready() {
  while (!expected_.empty() && expected_.front().type != 'Z') expected_.pop_front();
}

}  // namespace pgweir::sim

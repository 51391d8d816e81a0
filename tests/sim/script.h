// Script: what a simulated client sends in one go, and the replies that it must get for it, message
// by message. An error takes the place of all that is due up to the next ReadyForQuery.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "sim/sql.h"

namespace pgweir::sim {

// One message that must come.
struct Expected {
  char type = 0;
  // 'E': the SQLSTATE. '1' and '3': the name of the statement. 'D' and 'C': the statement's
  // argument. 'V': the value.
  std::string text = {};
  std::optional<Statement> statement = {};  // Of 'D', 'C' and 'G'.
  std::string query = {};                   // Of '1': what was prepared. Of 'D': what was executed.
  std::size_t index = 0;                    // Of 'D': which row.
  std::optional<std::string> prepared = {};  // Of 'D': the name of the statement, if it has one.
};

class Script {
 public:
  // Simple protocol; the text's statements and their answers are worked out from it.
  void query(std::string_view text);
  void parse(std::string_view name, std::string_view text);
  // argument: of $1; empty: the statement has none.
  void bind(std::string_view name, std::string_view argument);
  void describe_statement(std::string_view name, std::string_view text);
  void describe_portal(std::string_view text);
  void execute(std::string_view text, std::string_view argument);
  void close(std::string_view name);
  void function_call(std::string_view argument);
  void sync();
  void flush();
  // Bind and Execute, or a Parse, that the server skips, since a request before them fails.
  void send_unanswered(std::string_view name, std::string_view argument);
  void parse_unanswered(std::string_view name, std::string_view text);
  // How many lines the client sends for the one COPY IN of this script.
  void set_count_of_copy(std::size_t count);
  // The last request fails with this SQLSTATE instead of what is expected of it so far.
  void expect_error(std::string_view sqlstate);
  void expect(Expected expected) { expected_.push_back(std::move(expected)); }

  base::ByteBuffer bytes;

  bool empty() const { return expected_.empty(); }
  const std::deque<Expected>& due() const { return expected_; }
  const Expected& next() const { return expected_.front(); }
  void pop() { expected_.pop_front(); }
  void replace_next(Expected expected) { expected_.front() = std::move(expected); }
  // An error came: what is due before the next 'Z' is not due any more.
  void skip_to_ready();
  void clear() { expected_.clear(); }

 private:
  void expect_answer(const Statement& statement, const std::string& query,
                     const std::string& argument, bool is_simple);

  std::string bound_;  // The statement that the last Bind named.
  std::deque<Expected> expected_;
};

}  // namespace pgweir::sim

#include "client/statement_call.h"

#include <array>
#include <utility>

#include "client/commit.h"
#include "client/events.h"
#include "client/stop_sign.h"

namespace pgweir::client {

StatementCall::StatementCall(Database& database, Server& server, const sql& call)
    : database_(database),
      server_(server),
      where_(call.where()),
      is_bounded_by_call_(call.max_rows().has_value()),
      rows_(RowLimits::of(call, database.settings().library)),
      steps_(database, server, call, &rows_) {}

void StatementCall::begin(const Statement& statement, const char* begin, bool commits) {
  std::array<Statement, 3> all;
  std::size_t count = 0;
  if (begin != nullptr) all[count++].text = begin;
  own_ = count;
  all[count] = statement;
  all[count].may_be_prepared = true;
  all[count].comes_by_row = statement.comes_by_row || rows_.is_bounded();
  ++count;
  commits_ = commits;
  if (commits) all[count++].text = "commit";
  steps_.begin({all.data(), count});
}

void StatementCall::begin_page(Statement statement, std::size_t size) {
  rows_.keep_at_most(size);
  statement.comes_by_row = true;
  begin(statement, nullptr, false);
}

void StatementCall::begin_commit() {
  const Statement commit{.text = "commit"};
  commits_ = true;
  steps_.begin({&commit, 1});
}

void StatementCall::wait(const std::stop_token& stop) {
  if (steps_.is_over()) return;
  database_.report_blocking(where_);
  const StopSign sign(stop);
  Patience patience{.stop = sign.descriptor(), .abort = database_.aborted().descriptor()};
  while (!steps_.is_over()) {
    patience.deadline = steps_.look_again_at();
    if (await(server_.connection.get(), steps_.events(), patience) == Waited::Stopped) {
      steps_.stop();
      patience.stop = patience.abort = -1;
    }
    steps_.step();
  }
}

result<rows> StatementCall::take() {
  auto results = steps_.take();
  if (commits_) server_.must_roll_back = !is_at_rest(server_);
  if (!results) {
    if (commits_) return explain_failed_commit(std::move(results).error(), server_);
    return std::move(results).error();
  }
  if (results->empty()) return rows::adopt(nullptr);
  if (commits_ && !has_committed(results->back().get())) return explain_rollback(where_);
  auto brought = adopt_rows(std::move((*results)[own_]));
  if (!brought && commits_) {
    brought.error().text += "; the transaction has been committed all the same";
  }
  return brought;
}

result<rows> StatementCall::adopt_rows(Result whole) {
  if (rows_.is_too_large()) return rows_.explain("nobody has it", where_);
  if (whole == nullptr) whole = rows_.take();
  if (whole == nullptr) {
    return error_info{.kind = error_kind::result_too_large,
                      .text = "no memory is left for the result" + at(where_),
                      .where = where_};
  }
  rows result = rows::adopt(whole.release());
  const config::LibraryOptions& options = database_.settings().library;
  // Who has said how many there may be has thought about it.
  const bool is_meant = is_bounded_by_call_ || options.row_count_max != 0;
  if (!is_meant && options.row_count_warned != 0 && result.size() > options.row_count_warned) {
    database_.log().event(kManyRows,
                          {obs::kv("at", text_of(where_)), obs::kv("rows", result.size())});
  }
  return result;
}

}  // namespace pgweir::client

// RowSource: what a row_stream reads from: a StatementRun whose last statement comes by row.
#pragma once

#include <span>

#include "client/statement_run.h"
#include "pgweir/row_stream.hpp"

namespace pgweir::client {

class RowSource {
 public:
  RowSource(Database& database, Server& server, const sql& call) : run_(database, server, call) {}
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  // Gives up what was not read.
  ~RowSource();

  std::optional<error_info> begin(std::vector<Statement> statements);
  // The next row, which stays until the next call; null after the last.
  result<const PGresult*> next();

  static row_stream stream_of(std::unique_ptr<RowSource> source) {
    return row_stream(std::move(source));
  }

 private:
  StatementRun run_;
  std::size_t own_ = 0;  // Which of the statements brings the rows.
  bool is_open_ = false;
  Result row_;
};

// The rows of the last statement. Errors: those of sending them.
result<row_stream> open_stream(Database& database, Server& server,
                               std::span<const Statement> statements, const sql& call);

}  // namespace pgweir::client

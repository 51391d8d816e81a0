// CopyRun: what copy_in and copy_out are the handles of: a StatementRun that is a COPY. One of it
// serves one direction.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string_view>

#include "client/statement_run.h"
#include "pgweir/copy.hpp"

namespace pgweir::client {

class CopyRun {
 public:
  static result<copy_in> begin_in(Database& database, Server& server, const Statement& statement,
                                  const sql& call);
  static result<copy_out> begin_out(Database& database, Server& server, const Statement& statement,
                                    const sql& call);

  CopyRun(Database& database, Server& server, const sql& call) : run_(database, server, call) {
    run_.expect_copy();
  }
  CopyRun(const CopyRun&) = delete;
  CopyRun& operator=(const CopyRun&) = delete;
  // Gives up what was not finished.
  ~CopyRun();

  // After an error nothing is under way any more.
  std::optional<error_info> write(std::string_view bytes);
  result<std::uint64_t> finish();
  // Valid until the next call.
  result<std::optional<std::string_view>> next();

 private:
  struct FreeRow {
    void operator()(char* row) const { PQfreemem(row); }
  };

  std::optional<error_info> begin(const Statement& statement, ExecStatusType direction);
  std::optional<error_info> refuse_other(const PGresult* begun);
  error_info fail(Waited waited);
  // How many rows there were.
  result<std::uint64_t> read_end();

  StatementRun run_;
  ExecStatusType direction_ = PGRES_COPY_IN;
  bool is_open_ = false;
  std::size_t unflushed_ = 0;  // Bytes.
  std::unique_ptr<char, FreeRow> row_;
};

}  // namespace pgweir::client

#include "client/statement_refusal.h"

#include "client/statement_error.h"

namespace pgweir::client {
namespace {

error_info refuse_late(const code_location& where) {
  return {.kind = error_kind::cancelled,
          .text = "the pool was shut down meanwhile" + at(where),
          .where = where};
}

error_info refuse_busy(const code_location& where) {
  return {.kind = error_kind::value,
          .text =
              "another statement is under way on this connection: await it, read its stream "
              "or end its COPY before the next one, or take another connection" +
              at(where),
          .where = where};
}

}  // namespace

std::optional<error_info> refuse_statement(const Database& database, const PGconn* connection,
                                           const code_location& where) {
  if (database.is_of_parent()) return explain_fork(where);
  if (database.is_aborted()) return refuse_late(where);
  const bool is_busy = PQtransactionStatus(connection) == PQTRANS_ACTIVE ||
                       PQpipelineStatus(connection) != PQ_PIPELINE_OFF;
  if (is_busy) return refuse_busy(where);
  return std::nullopt;
}

}  // namespace pgweir::client

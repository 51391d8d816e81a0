#include "client/commit.h"

#include <string_view>
#include <utility>

namespace pgweir::client {

bool is_at_rest(const Server& server) {
  return PQtransactionStatus(server.connection.get()) == PQTRANS_IDLE;
}

bool has_committed(const PGresult* result) {
  // libpq reads it only, but has it without const.
  return std::string_view(PQcmdStatus(const_cast<PGresult*>(result))) == "COMMIT";
}

error_info explain_rollback(const code_location& where) {
  return {.kind = error_kind::server,
          .text = "a statement of this transaction had failed, so nothing of it has happened",
          .sqlstate = sqlstate::in_failed_transaction,
          .outcome = transaction_outcome::rolled_back,
          .where = where};
}

// Only a transaction that is seen to be still there has not happened.
error_info explain_failed_commit(error_info info, const Server& server) {
  const bool is_still_open = PQtransactionStatus(server.connection.get()) == PQTRANS_INERROR;
  info.outcome = transaction_outcome::rolled_back;
  if (is_still_open || (info.kind == error_kind::server && !info.is_connection_lost)) return info;
  info.kind = error_kind::outcome_unknown;
  info.outcome = transaction_outcome::unknown;
  info.text =
      "COMMIT was sent and its answer did not come, so the transaction may have happened "
      "or not: look before you repeat it; " +
      info.text;
  return info;
}

}  // namespace pgweir::client

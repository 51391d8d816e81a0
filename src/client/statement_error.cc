#include "client/statement_error.h"

#include <fmt/format.h>

#include <string_view>

#include "insight/failure.h"

namespace pgweir::client {
namespace {

std::string_view field_of(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string_view() : text;
}

std::string_view happened(GivenUp why) {
  switch (why) {
    case GivenUp::Late: return "the statement took longer than it may";
    case GivenUp::Stopped: return "it was stopped";
    case GivenUp::Closed: return "the pool was shut down meanwhile";
    case GivenUp::Copy:
      return "COPY from or to the client is no query, it is copy_from() and copy_to()";
  }
  return "";
}

}  // namespace

std::string at(const code_location& where) {
  return fmt::format(" ({}:{})", where.file, where.line);
}

error_info explain_error(const PGresult* result, const code_location& where) {
  const std::string_view state = field_of(result, PG_DIAG_SQLSTATE);
  if (state.empty()) {
    return {.kind = error_kind::server,
            .text = insight::in_one_line(PQresultErrorMessage(result)) + at(where),
            .where = where};
  }
  std::string text = fmt::format("{} [{}]", field_of(result, PG_DIAG_MESSAGE_PRIMARY), state);
  const std::string_view detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);
  const std::string_view hint = field_of(result, PG_DIAG_MESSAGE_HINT);
  if (!detail.empty()) text += fmt::format("; {}", detail);
  if (!hint.empty()) text += fmt::format("; {}", hint);
  return {.kind = error_kind::server,
          .text = text + at(where),
          .sqlstate = sqlstate(state),
          .where = where};
}

error_info explain_loss(const PGconn* connection, const code_location& where) {
  const std::string said = insight::in_one_line(PQerrorMessage(connection));
  return {.kind = error_kind::server,
          .text = "the connection was lost: " + said + at(where),
          .is_connection_lost = true,
          .where = where};
}

error_info explain_given_up(GivenUp why, bool is_connection_lost, const code_location& where) {
  error_info info{.kind = error_kind::cancelled, .text = {}, .where = where};
  info.is_connection_lost = is_connection_lost;
  if (why == GivenUp::Copy) {
    info.kind = error_kind::value;
    info.text = fmt::format("{}{}{}", happened(why),
                            is_connection_lost ? "; the connection was cut" : "", at(where));
    return info;
  }
  info.sqlstate = sqlstate::query_canceled;
  info.text =
      fmt::format("{}; {}{}", happened(why),
                  is_connection_lost ? "PostgreSQL did not answer, and the connection was cut"
                                     : "PostgreSQL was told to give it up",
                  at(where));
  return info;
}

}  // namespace pgweir::client

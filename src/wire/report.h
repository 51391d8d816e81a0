// Reports: ErrorResponse and NoticeResponse, which share one body. A missing field is normal, a
// body that does not parse is not. Which SQLSTATE to use is wire/sqlstate.h.
// Source of truth: PostgreSQL manual, "Error and Notice Message Fields".
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::wire {

struct Report {
  std::string severity = {};  // ERROR, FATAL, PANIC, WARNING, NOTICE, …; untranslated where known.
  std::string sqlstate = {};
  std::string message = {};
  std::string detail = {};  // Empty: none.
  std::string hint = {};    // Empty: none.

  // FATAL or PANIC: the connection it came on is over.
  bool ends_the_session() const { return severity == "FATAL" || severity == "PANIC"; }
};

// Each text field that we send is cut to this, at a character's edge.
inline constexpr std::size_t kReportTextBytesMax = 2048;

// A field that the peer left out stays empty.
// Errors: ProtocolViolation of the server for a body that is cut short or goes on after its end.
base::Result<Report> parse_report(base::Bytes body);
// The fields that are there as a whole, in a body of which only the beginning may be there.
Report parse_report_head(base::Bytes body);

// Severity, SQLSTATE and message are always sent, detail and hint when not empty. A text ends at
// its first zero byte, if it has one.
void encode_error(base::ByteBuffer& out, const Report& report);
void encode_notice(base::ByteBuffer& out, const Report& report);

}  // namespace pgweir::wire

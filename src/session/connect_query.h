// ConnectQuery: the operator's query on a new server, between its login and its first client. Its
// rows are dropped; it may fail, and then the server is of no use. It moves no bytes itself.
// Source of truth: PgBouncer's connect_query; PostgreSQL manual "Simple Query".
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::session {

class ConnectQuery {
 public:
  enum class Step : std::uint8_t {
    NeedsMore,
    Done,
    Refused,  // `refusal()` says why.
  };

  // reported: what the server said at login, brought up to date while the query runs; borrowed.
  explicit ConnectQuery(wire::Parameters& reported) : reported_(reported) {}

  // Appends the query.
  void begin(std::string_view query, base::ByteBuffer& out);
  // Takes what is complete off `input`.
  // Errors: ProtocolViolation; Unsupported for COPY, which nobody would feed.
  base::Result<Step> handle_bytes(base::Bytes& input);

  const wire::Report& refusal() const { return *refusal_; }

 private:
  base::Result<bool> note_error(base::Bytes body);
  base::Result<Step> handle_ready(base::Bytes body);
  base::Status note_parameter(base::Bytes body);

  wire::Parameters& reported_;
  std::optional<wire::Report> refusal_;
};

}  // namespace pgweir::session

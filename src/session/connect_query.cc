#include "session/connect_query.h"

#include <algorithm>
#include <utility>

#include "wire/frame.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/violation.h"

namespace pgweir::session {
namespace {

// A query that sets a server up has no large results.
constexpr std::uint32_t kBodyBytesMax = 1024 * 1024;

}  // namespace

void ConnectQuery::begin(std::string_view query, base::ByteBuffer& out) {
  wire::encode_query(out, query);
}

base::Result<ConnectQuery::Step> ConnectQuery::handle_bytes(base::Bytes& input) {
  while (const auto frame = TRY(wire::take_frame(input, kBodyBytesMax, base::Side::Server))) {
    switch (frame->type) {
      case 'E':
        if (TRY(note_error(frame->body))) return Step::Refused;
        break;
      case 'Z': return handle_ready(frame->body);
      case 'S': TRY(note_parameter(frame->body)); break;
      case 'G':
      case 'H':
      case 'W':
        return base::Error{.code = base::ErrorCode::Unsupported,
                           .side = base::Side::Self,
                           .context = "connect_query must not copy"};
      default: break;  // Rows, tags and notices.
    }
  }
  return Step::NeedsMore;
}

// The first counts. Returns whether it was the last word.
base::Result<bool> ConnectQuery::note_error(base::Bytes body) {
  wire::Report report = TRY(wire::parse_report(body));
  const bool is_last = report.ends_the_session();
  if (!refusal_) refusal_ = std::move(report);
  return is_last;
}

base::Result<ConnectQuery::Step> ConnectQuery::handle_ready(base::Bytes body) {
  if (refusal_) return Step::Refused;
  if (TRY(wire::parse_ready_for_query(body)) == 'I') return Step::Done;
  refusal_ = wire::Report{.severity = "FATAL",
                          .sqlstate = "25001",
                          .message = "connect_query leaves a transaction open",
                          .detail = {},
                          .hint = "End it with COMMIT."};
  return Step::Refused;
}

base::Status ConnectQuery::note_parameter(base::Bytes body) {
  const wire::ParameterStatus status = TRY(wire::parse_parameter_status(body));
  const auto known = std::find_if(reported_.begin(), reported_.end(),
                                  [&](const auto& one) { return one.first == status.name; });
  if (known == reported_.end()) {
    reported_.emplace_back(status.name, status.value);
  } else {
    known->second = status.value;
  }
  return base::success();
}

}  // namespace pgweir::session

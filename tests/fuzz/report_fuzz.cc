// Errors and notices from a server.
#include "base/assert.h"
#include "fuzz_target.h"
#include "wire/frame.h"
#include "wire/report.h"

namespace pgweir::fuzz {
namespace {

void fuzz_report(base::Bytes input) {
  const auto report = wire::parse_report(input);
  if (!report.has_value()) return;
  base::ByteBuffer out;
  wire::encode_error(out, *report);
  const auto again = wire::parse_report(base::Bytes(out).subspan(wire::kHeaderBytes));
  ASSERT(again.has_value());
  ASSERT(report->message.starts_with(again->message));
  ASSERT(again->message.size() <= wire::kReportTextBytesMax);
}

const Registration kRegistered("report", fuzz_report);

}  // namespace
}  // namespace pgweir::fuzz

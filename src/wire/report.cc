#include "wire/report.h"

#include <string_view>

#include "wire/frame.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {

// PG_DIAG_* of PostgreSQL's postgres_ext.h.
constexpr char kSeverity = 'S';  // Translated.
constexpr char kSeverityUntranslated = 'V';
constexpr char kSqlstate = 'C';
constexpr char kMessage = 'M';
constexpr char kDetail = 'D';
constexpr char kHint = 'H';

void store(Report& report, char field, std::string_view text, bool& is_untranslated) {
  switch (field) {
    case kSeverity:
      if (!is_untranslated) report.severity = text;
      break;
    case kSeverityUntranslated:
      report.severity = text;
      is_untranslated = true;
      break;
    case kSqlstate: report.sqlstate = text; break;
    case kMessage: report.message = text; break;
    case kDetail: report.detail = text; break;
    case kHint: report.hint = text; break;
    default: break;  // Position, context, source line, and fields yet to be invented.
  }
}

std::string_view bounded(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (text.size() <= kReportTextBytesMax) return text;
  std::size_t end = kReportTextBytesMax;
  // 0b10xxxxxx continues a UTF-8 character: step back to where it starts.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

void encode_field(FrameWriter& frame, char field, std::string_view text) {
  frame.u8(static_cast<std::uint8_t>(field));
  frame.c_string(bounded(text));
}

void encode_report(base::ByteBuffer& out, char type, const Report& report) {
  FrameWriter frame(out, type);
  encode_field(frame, kSeverity, report.severity);
  encode_field(frame, kSeverityUntranslated, report.severity);
  encode_field(frame, kSqlstate, report.sqlstate);
  encode_field(frame, kMessage, report.message);
  if (!report.detail.empty()) encode_field(frame, kDetail, report.detail);
  if (!report.hint.empty()) encode_field(frame, kHint, report.hint);
  frame.u8(0);
}

}  // namespace

base::Result<Report> parse_report(base::Bytes body) {
  base::ByteReader reader(body);
  Report report;
  bool is_untranslated = false;
  while (const char field = static_cast<char>(reader.u8())) {
    store(report, field, reader.c_string(), is_untranslated);
  }
  if (!reader.is_complete()) {
    return violation(base::Side::Server, "a malformed ErrorResponse or NoticeResponse");
  }
  return report;
}

Report parse_report_head(base::Bytes body) {
  const std::string_view text = base::as_text(body);
  Report report;
  bool is_untranslated = false;
  std::size_t at = 0;
  while (at < text.size() && text[at] != '\0') {
    const std::size_t end = text.find('\0', at + 1);
    if (end == std::string_view::npos) break;
    store(report, text[at], text.substr(at + 1, end - at - 1), is_untranslated);
    at = end + 1;
  }
  return report;
}

void encode_error(base::ByteBuffer& out, const Report& report) { encode_report(out, 'E', report); }
void encode_notice(base::ByteBuffer& out, const Report& report) { encode_report(out, 'N', report); }

}  // namespace pgweir::wire

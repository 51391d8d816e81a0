#include "wire/report.h"

#include <gtest/gtest.h>

#include "wire/frame.h"
#include "wire/sqlstate.h"

namespace pgweir::wire {
namespace {

base::Bytes body_of(const base::ByteBuffer& frame) {
  return base::Bytes(frame).subspan(kHeaderBytes);
}

const Report kFull{.severity = "FATAL",
                   .sqlstate = std::string(sqlstate::kTooManyConnections),
                   .message = "no connection is free",
                   .detail = "40 of 40 are held",
                   .hint = "raise pool_size"};

TEST(ReportTest, an_error_survives_the_trip) {
  base::ByteBuffer out;
  encode_error(out, kFull);
  EXPECT_EQ(std::to_integer<char>(out[0]), 'E');
  const auto report = parse_report(body_of(out));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->severity, kFull.severity);
  EXPECT_EQ(report->sqlstate, "53300");
  EXPECT_EQ(report->message, kFull.message);
  EXPECT_EQ(report->detail, kFull.detail);
  EXPECT_EQ(report->hint, kFull.hint);
  EXPECT_TRUE(report->ends_the_session());
}

TEST(ReportTest, a_notice_always_has_both_severities_and_no_empty_detail) {
  base::ByteBuffer out;
  encode_notice(out, {.severity = "NOTICE", .sqlstate = "00000", .message = "m"});
  EXPECT_EQ(std::to_integer<char>(out[0]), 'N');
  EXPECT_EQ(base::as_text(body_of(out)), std::string_view("SNOTICE\0VNOTICE\0C00000\0Mm\0\0", 27));
}

TEST(ReportTest, missing_fields_stay_empty) {
  const auto report = parse_report(base::as_bytes(std::string_view("\0", 1)));
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->sqlstate.empty());
  EXPECT_TRUE(report->severity.empty());
  EXPECT_FALSE(report->ends_the_session());
}

TEST(ReportTest, prefers_the_untranslated_severity_in_either_order) {
  for (const std::string_view body :
       {std::string_view("SFEHLER\0VERROR\0\0", 16), std::string_view("VERROR\0SFEHLER\0\0", 16)}) {
    EXPECT_EQ(parse_report(base::as_bytes(body))->severity, "ERROR");
  }
  EXPECT_EQ(parse_report(base::as_bytes(std::string_view("SFATAL\0\0", 8)))->severity, "FATAL");
}

TEST(ReportTest, unknown_fields_are_skipped) {
  const auto report = parse_report(base::as_bytes(std::string_view("P17\0~new\0Mm\0\0", 13)));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->message, "m");
}

TEST(ReportTest, a_body_of_any_other_length_is_refused) {
  base::ByteBuffer out;
  encode_error(out, kFull);
  const base::Bytes body = body_of(out);
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    const base::ByteBuffer shorter(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_FALSE(parse_report(shorter).has_value()) << cut;
  }
  base::ByteBuffer longer(body.begin(), body.end());
  longer.push_back(std::byte{'x'});
  EXPECT_FALSE(parse_report(longer).has_value());
}

TEST(ReportTest, cuts_a_long_text_between_characters) {
  std::string text(kReportTextBytesMax - 1, 'a');
  text += "\xc3\xa9tude";  // é straddles the limit.
  base::ByteBuffer out;
  encode_error(out, {.severity = "ERROR", .sqlstate = "XX000", .message = text});
  const auto report = parse_report(body_of(out));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->message, text.substr(0, kReportTextBytesMax - 1));
}

TEST(ReportTest, the_head_of_a_cut_report_has_the_fields_that_are_whole) {
  base::ByteBuffer out;
  encode_error(out, kFull);
  const base::Bytes body = body_of(out);
  for (std::size_t size = 0; size <= body.size(); ++size) {
    const Report head = parse_report_head(body.first(size));
    EXPECT_TRUE(head.severity.empty() || head.severity == kFull.severity) << size;
    EXPECT_TRUE(head.sqlstate.empty() || head.sqlstate == kFull.sqlstate) << size;
    EXPECT_TRUE(head.message.empty() || head.message == kFull.message) << size;
  }
  EXPECT_EQ(parse_report_head(body).hint, kFull.hint);
}

TEST(ReportTest, a_text_with_a_zero_byte_cannot_smuggle_fields) {
  base::ByteBuffer out;
  encode_error(
      out,
      {.severity = "ERROR", .sqlstate = "XX000", .message = std::string("a\0Hpay here\0", 12)});
  const auto report = parse_report(body_of(out));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->message, "a");
  EXPECT_TRUE(report->hint.empty());
}

}  // namespace
}  // namespace pgweir::wire

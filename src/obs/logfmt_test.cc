#include "obs/logfmt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "base/ids.h"

namespace pgweir::obs {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string line_of(const Field& field) {
  LineBuffer line;
  line.add(field);
  return std::string(line.text());
}
std::string text_line(std::string_view text) { return line_of(kv("k", text)); }

TEST(LogfmtTest, separates_fields_by_one_blank) {
  LineBuffer line;
  line.add(kv("a", 1));
  line.add(kv("b", "two"));
  EXPECT_EQ(line.text(), "a=1 b=two");
}

TEST(LogfmtTest, prints_numbers_of_every_kind) {
  EXPECT_EQ(line_of(kv("k", -5)), "k=-5");
  EXPECT_EQ(line_of(kv("k", std::numeric_limits<std::int64_t>::min())), "k=-9223372036854775808");
  EXPECT_EQ(line_of(kv("k", std::numeric_limits<std::uint64_t>::max())), "k=18446744073709551615");
  EXPECT_EQ(line_of(kv("k", std::uint8_t{200})), "k=200");
  EXPECT_EQ(line_of(kv("k", true)), "k=true");
  EXPECT_EQ(line_of(kv("k", false)), "k=false");
  EXPECT_EQ(line_of(kv("k", base::PoolId{3})), "k=3");
  EXPECT_EQ(line_of(kv("k", Level::Warning)), "k=warning");
}

TEST(LogfmtTest, prints_a_duration_in_the_unit_of_its_key) {
  EXPECT_EQ(line_of(kv("age_s", seconds(611))), "age_s=611");
  EXPECT_EQ(line_of(kv("age_s", milliseconds(1500))), "age_s=1.5");
  EXPECT_EQ(line_of(kv("wait_ms", microseconds(12'345))), "wait_ms=12.345");
  EXPECT_EQ(line_of(kv("wait_ms", seconds(2))), "wait_ms=2000");
  EXPECT_EQ(line_of(kv("spent_us", nanoseconds(1'050))), "spent_us=1.05");
  EXPECT_EQ(line_of(kv("age_s", milliseconds(-1500))), "age_s=-1.5");
  EXPECT_EQ(line_of(kv("age_s", seconds(0))), "age_s=0");
}

TEST(LogfmtTest, quotes_a_text_only_where_it_must) {
  EXPECT_EQ(text_line("app/user@10.0.0.1:5432"), "k=app/user@10.0.0.1:5432");
  EXPECT_EQ(text_line(""), "k=\"\"");
  EXPECT_EQ(text_line("two words"), "k=\"two words\"");
  EXPECT_EQ(text_line("a=b"), "k=\"a=b\"");
  EXPECT_EQ(text_line("say \"hi\""), "k=\"say \\\"hi\\\"\"");
  EXPECT_EQ(text_line("back\\slash"), "k=\"back\\\\slash\"");
}

TEST(LogfmtTest, keeps_a_hostile_text_inside_its_value) {
  EXPECT_EQ(text_line("x\nlevel=error event=forged"), "k=\"x\\nlevel=error event=forged\"");
  EXPECT_EQ(text_line("a\r\tb"), "k=\"a\\r\\tb\"");
  EXPECT_EQ(text_line("\x1b[2J"), "k=\"\\x1b[2J\"");
  EXPECT_EQ(text_line("\x7f"), "k=\"\\x7f\"");
  EXPECT_EQ(text_line(std::string_view("a\0b", 3)), "k=\"a\\x00b\"");
}

TEST(LogfmtTest, keeps_names_in_utf8_readable) {
  EXPECT_EQ(text_line("müller"), "k=\"müller\"");
  EXPECT_EQ(text_line("データ"), "k=\"データ\"");
  EXPECT_EQ(text_line("🐘"), "k=\"🐘\"");
}

TEST(LogfmtTest, escapes_invalid_utf8_byte_by_byte) {
  EXPECT_EQ(text_line("\xff"), "k=\"\\xff\"");
  EXPECT_EQ(text_line("\xc3"), "k=\"\\xc3\"");                             // Cut off.
  EXPECT_EQ(text_line("\xc0\xaf"), "k=\"\\xc0\\xaf\"");                    // Overlong.
  EXPECT_EQ(text_line("\xe0\x80\x8a"), "k=\"\\xe0\\x80\\x8a\"");           // Overlong line feed.
  EXPECT_EQ(text_line("\xed\xa0\x80"), "k=\"\\xed\\xa0\\x80\"");           // Surrogate.
  EXPECT_EQ(text_line("\xf4\x90\x80\x80"), "k=\"\\xf4\\x90\\x80\\x80\"");  // Above U+10FFFF.
}

TEST(LogfmtTest, escapes_characters_that_deceive_a_terminal) {
  EXPECT_EQ(text_line("\xc2\x85"), "k=\"\\xc2\\x85\"");           // Next line.
  EXPECT_EQ(text_line("\xe2\x80\xa8"), "k=\"\\xe2\\x80\\xa8\"");  // Line separator.
  EXPECT_EQ(text_line("\xe2\x80\xae"), "k=\"\\xe2\\x80\\xae\"");  // Right-to-left override.
}

TEST(LogfmtTest, no_single_byte_can_break_the_line) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string line = text_line(std::string("a") + c + "b");
    for (const char written : line) {
      EXPECT_TRUE(written >= ' ' && written < '\x7f') << "byte " << byte << " in " << line;
    }
  }
}

TEST(LogfmtTest, cuts_a_text_that_is_too_long) {
  const std::string longest(kValueBytesMax, 'x');
  EXPECT_EQ(text_line(longest), "k=" + longest);
  EXPECT_EQ(text_line(longest + "y"), "k=\"" + longest + "...\"");
  EXPECT_LE(text_line(std::string(100'000, '\n')).size(), kValueBytesMax + 8);
}

TEST(LogfmtTest, leaves_out_whole_fields_that_do_not_fit_into_the_line) {
  LineBuffer line;
  const std::string value(kValueBytesMax, 'x');
  for (int i = 0; i < 20; ++i) line.add(kv("k", value));
  const std::size_t field_bytes = value.size() + 3;  // With its blank, which the first one lacks.
  EXPECT_EQ((line.text().size() + 1) % field_bytes, 0U);
  const std::size_t size_before = line.text().size();
  line.add(kv("a", 1));
  EXPECT_EQ(line.text().size(), size_before) << "nothing follows a gap";
}

}  // namespace
}  // namespace pgweir::obs

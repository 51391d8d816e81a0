#include <fmt/format.h>

#include <cstdint>
#include <unordered_set>

#include "client/made_result_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;
using testing::HasSubstr;

using Timestamptz = std::chrono::sys_time<microseconds>;
using Timestamp = std::chrono::local_time<microseconds>;

constexpr sys_days kDay2000 = 2000y / 1 / 1;

Timestamptz at(sys_days day, microseconds time_of_day) { return day + time_of_day; }
Timestamptz parse(std::string_view from) {
  return read_as<Timestamptz>(text(type_oid::timestamptz, from));
}

TEST(ValuesTest, what_is_absent_has_the_type_of_what_is_there) {
  EXPECT_EQ(sent(std::optional<int>()).type, sent(std::optional<int>(1)).type);
  EXPECT_EQ(sent(std::optional<int>()).value, std::nullopt);
  EXPECT_EQ(sent(std::optional<std::string>()).type, type_oid::unspecified);
  EXPECT_EQ(sent(std::optional<std::string>()).value, std::nullopt);
}

TEST(ValuesTime, a_time_is_sent_as_microseconds_since_2000) {
  const Column at_2000 = sent(Timestamptz(kDay2000));
  EXPECT_EQ(at_2000.type, type_oid::timestamptz);
  EXPECT_EQ(at_2000.value, bytes("0000000000000000"));
  EXPECT_EQ(sent(at(kDay2000, 258us)).value, bytes("0000000000000102"));
  EXPECT_EQ(sent(at(kDay2000, -1us)).value, bytes("ffffffffffffffff"));
  const Column local = sent(Timestamp(kDay2000.time_since_epoch() + 1us));
  EXPECT_EQ(local.type, type_oid::timestamp);
  EXPECT_EQ(local.value, bytes("0000000000000001"));
}

TEST(ValuesTime, coarser_times_are_sent_too) {
  EXPECT_EQ(sent(std::chrono::sys_seconds(sys_days(2000y / 1 / 2))).value,
            bytes("000000141dd76000"));
  EXPECT_EQ(sent(std::chrono::floor<hours>(std::chrono::sys_seconds(kDay2000 + 59min))).value,
            bytes("0000000000000000"));
  EXPECT_EQ(sent(std::chrono::local_seconds(kDay2000.time_since_epoch() + 1s)).value,
            bytes("00000000000f4240"));
}

TEST(ValuesTime, a_coarser_time_beyond_all_microseconds_is_refused) {
  using Hours = std::chrono::sys_time<std::chrono::duration<std::int64_t, std::ratio<3600>>>;
  EXPECT_EQ(send_refusal(Hours::max()), "is too far ahead");
  EXPECT_EQ(send_refusal(Hours::min()), "is before the year 1");
  const auto last = std::chrono::floor<Hours::duration>(Timestamptz::max());
  EXPECT_EQ(send_refusal(last), "");
  EXPECT_EQ(send_refusal(last + Hours::duration(1)), "is too far ahead");
}

TEST(ValuesTime, both_ends_of_time_go_there_and_back) {
  const Timestamptz first = sys_days(1y / 1 / 1);
  EXPECT_EQ(there_and_back(first), first);
  EXPECT_EQ(there_and_back(Timestamptz::max()), Timestamptz::max());
  EXPECT_EQ(there_and_back(Timestamp::max()), Timestamp::max());
  EXPECT_EQ(send_refusal(first - 1us), "is before the year 1");
  EXPECT_EQ(send_refusal(Timestamptz::min()), "is before the year 1");
  EXPECT_EQ(parse("0001-01-01 00:00:00+00"), first);
  EXPECT_EQ(parse("294247-01-10 04:00:54.775807+00"), Timestamptz::max());
  EXPECT_THAT(refusal<Timestamptz>(text(type_oid::timestamptz, "294247-01-10 04:00:54.775808+00")),
              HasSubstr("is too far ahead"));
  EXPECT_THAT(refusal<Timestamptz>(text(type_oid::timestamptz, "0001-01-01 00:00:00+00:01")),
              HasSubstr("is before the year 1"));
}

TEST(ValuesTime, a_text_may_have_any_offset) {
  const Timestamptz noon = at(2024y / 2 / 29, 12h);
  EXPECT_EQ(parse("2024-02-29 12:00:00+00"), noon);
  EXPECT_EQ(parse("2024-02-29 17:30:00+05:30"), noon);
  EXPECT_EQ(parse("2024-02-29 09:00:00-03"), noon);
  EXPECT_EQ(parse("2024-02-29 08:30:00-03:30"), noon);
  EXPECT_EQ(parse("2024-03-01 00:53:28+12:53:28"), noon);
}

TEST(ValuesTime, a_text_before_1970_and_2000_has_its_microseconds) {
  EXPECT_EQ(parse("1969-12-31 23:59:59.999999+00"), Timestamptz(-1us));
  EXPECT_EQ(parse("1999-12-31 23:59:59.5+00"), at(kDay2000, -500ms));
  EXPECT_EQ(parse("1970-01-01 00:00:00.000001+00"), Timestamptz(1us));
  EXPECT_EQ(read_as<Timestamp>(text(type_oid::timestamp, "1969-12-31 23:59:59.25")),
            Timestamp(-750ms));
  EXPECT_EQ(read_as<Timestamptz>(binary(type_oid::timestamptz, bytes("fffca2fec4c81fff"))),
            Timestamptz(-1us));
}

TEST(ValuesTime, infinity_is_refused) {
  for (const char* infinite : {"infinity", "-infinity"}) {
    EXPECT_THAT(refusal<Timestamptz>(text(type_oid::timestamptz, infinite)),
                HasSubstr("which is timestamptz, is infinity; std::chrono::sys_time"));
    EXPECT_THAT(refusal<Timestamp>(text(type_oid::timestamp, infinite)), HasSubstr("infinity"));
    EXPECT_THAT(refusal<sys_days>(text(type_oid::date, infinite)), HasSubstr("infinity"));
  }
  for (const char* infinite : {"7fffffffffffffff", "8000000000000000"}) {
    EXPECT_THAT(refusal<Timestamptz>(binary(type_oid::timestamptz, bytes(infinite))),
                HasSubstr("is infinity"));
  }
  for (const char* infinite : {"7fffffff", "80000000"}) {
    EXPECT_THAT(refusal<sys_days>(binary(type_oid::date, bytes(infinite))),
                HasSubstr("is infinity"));
  }
}

TEST(ValuesTime, years_before_christ_are_refused_in_both_forms) {
  EXPECT_THAT(refusal<Timestamptz>(text(type_oid::timestamptz, "0044-03-15 12:00:00+00 BC")),
              HasSubstr("is before the year 1"));
  EXPECT_THAT(refusal<sys_days>(text(type_oid::date, "0044-03-15 BC")),
              HasSubstr("is before the year 1"));
  EXPECT_THAT(refusal<Timestamptz>(binary(type_oid::timestamptz, bytes("ff00000000000000"))),
              HasSubstr("is before the year 1"));
  EXPECT_THAT(refusal<sys_days>(binary(type_oid::date, bytes("ff000000"))),
              HasSubstr("is before the year 1"));
}

TEST(ValuesTime, binary_beyond_what_chrono_counts_is_refused) {
  EXPECT_THAT(refusal<Timestamptz>(binary(type_oid::timestamptz, bytes("7ffffffffffffffe"))),
              HasSubstr("is too far ahead"));
}

TEST(ValuesTime, what_is_no_time_is_refused) {
  for (const char* garbled : {"",
                              "2024",
                              "2023-02-29 00:00:00+00",
                              "2024-13-01 00:00:00+00",
                              "2024-00-01 00:00:00+00",
                              "2024-01-00 00:00:00+00",
                              "2024-01-01 24:00:00+00",
                              "2024-01-01 00:60:00+00",
                              "2024-01-01 00:00:60+00",
                              "2024-01-01 00:00:00",
                              "2024-01-01 00:00:00.+00",
                              "2024-01-01 00:00:00.1234567+00",
                              "2024-01-01 00:00:00+0",
                              "2024-01-01 00:00:00+00:60",
                              "2024-01-01 00:00:00+00 AD",
                              "Mon Jan 01 00:00:00 2024 UTC",
                              "01/01/2024 00:00:00 UTC",
                              "0000-01-01 00:00:00+00",
                              "2024-01-01T00:00:00+00",
                              "-2024-01-01 00:00:00+00"}) {
    EXPECT_THAT(refusal<Timestamptz>(text(type_oid::timestamptz, garbled)),
                HasSubstr("is not in the form of DateStyle ISO"));
  }
  EXPECT_THAT(refusal<Timestamptz>(binary(type_oid::timestamptz, "1234567")),
              HasSubstr("is not what PostgreSQL says"));
  EXPECT_THAT(refusal<Timestamp>(text(type_oid::timestamp, "2024-01-01 00:00:00+00")),
              HasSubstr("DateStyle"));
}

TEST(ValuesTime, a_clock_on_a_wall_is_no_point_in_time) {
  EXPECT_THAT(refusal<Timestamptz>(text(type_oid::timestamp, "2024-01-01 00:00:00")),
              HasSubstr("which is timestamp, is no timestamptz"));
  EXPECT_THAT(refusal<Timestamp>(text(type_oid::timestamptz, "2024-01-01 00:00:00+00")),
              HasSubstr("is no timestamp without time zone"));
  EXPECT_THAT(refusal<sys_days>(text(type_oid::timestamptz, "2024-01-01 00:00:00+00")),
              HasSubstr("is no date"));
}

TEST(ValuesDate, leap_days_and_both_ends_go_there_and_back) {
  EXPECT_EQ(sent(sys_days(kDay2000)).type, type_oid::date);
  EXPECT_EQ(sent(sys_days(kDay2000) - days(1)).value, bytes("ffffffff"));
  const sys_days first = 1y / 1 / 1;
  const sys_days last{days(detail::last_day)};
  for (const sys_days day : {sys_days(2024y / 2 / 29), sys_days(2000y / 2 / 29),
                             sys_days(1969y / 12 / 31), sys_days(), first, last}) {
    EXPECT_EQ(there_and_back(day), day);
  }
  EXPECT_EQ(send_refusal(first - days(1)), "is before the year 1");
  EXPECT_EQ(send_refusal(last + days(1)), "is too far ahead");
}

TEST(ValuesDate, every_day_of_two_centuries_is_read_from_its_text) {
  for (sys_days day = 1899y / 1 / 1; day < sys_days(2101y / 1 / 1); day += days(1)) {
    const year_month_day date(day);
    const std::string spelled =
        fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(read_as<sys_days>(text(type_oid::date, spelled)), day) << spelled;
  }
}

TEST(ValuesDate, the_years_beyond_those_of_chrono_are_counted_on) {
  EXPECT_EQ(read_as<sys_days>(text(type_oid::date, "5874897-12-31")),
            sys_days(days(detail::last_day)));
  EXPECT_THAT(refusal<sys_days>(text(type_oid::date, "5874898-01-01")), HasSubstr("PostgreSQL"));
  EXPECT_THAT(refusal<year_month_day>(text(type_oid::date, "32768-01-01")),
              HasSubstr("is after the year 32767"));
  const year_month_day last = 32767y / 12 / 31;
  EXPECT_EQ(read_as<year_month_day>(text(type_oid::date, "32767-12-31")), last);
  EXPECT_EQ(there_and_back(last), last);
}

TEST(ValuesDate, a_day_that_no_calendar_has_is_not_sent) {
  EXPECT_EQ(send_refusal(2023y / 2 / 29), "is a day that no calendar has");
  EXPECT_EQ(there_and_back(2024y / 2 / 29), 2024y / 2 / 29);
}

TEST(ValuesGarbled, times_and_dates_are_values_or_refused) {
  EXPECT_GT(count_values_among_garbled<Timestamptz>(type_oid::timestamptz, true, "12345678"), 0);
  EXPECT_GT(count_values_among_garbled<Timestamptz>(type_oid::timestamptz, false,
                                                    "2024-02-29 12:34:56.789+05:30"),
            0);
  EXPECT_GT(
      count_values_among_garbled<Timestamp>(type_oid::timestamp, false, "2024-02-29 12:34:56.789"),
      0);
  EXPECT_GT(count_values_among_garbled<sys_days>(type_oid::date, true, "\1\2\3\4"), 0);
  EXPECT_GT(count_values_among_garbled<year_month_day>(type_oid::date, false, "2024-02-29"), 0);
}

constexpr std::string_view kSpelled = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

uuid make_uuid(std::string_view spelled = kSpelled) {
  return uuid::parse(spelled).value_or(uuid());
}

TEST(ValuesUuid, is_sent_and_read_as_its_16_bytes) {
  const Column column = sent(make_uuid());
  EXPECT_EQ(column.type, type_oid::uuid);
  EXPECT_EQ(column.value, bytes("a0eebc999c0b4ef8bb6d6bb9bd380a11"));
  EXPECT_EQ(read_as<uuid>(column), make_uuid());
  EXPECT_EQ(read_as<uuid>(text(type_oid::uuid, kSpelled)), make_uuid());
  EXPECT_EQ(uuid(make_uuid().bytes()), make_uuid());
}

TEST(ValuesUuid, has_one_spelling_and_is_parsed_from_three) {
  EXPECT_EQ(make_uuid().text(), kSpelled);
  EXPECT_EQ(make_uuid("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11").text(), kSpelled);
  EXPECT_EQ(make_uuid("a0eebc999c0b4ef8bb6d6bb9bd380a11").text(), kSpelled);
  EXPECT_EQ(uuid().text(), "00000000-0000-0000-0000-000000000000");
}

TEST(ValuesUuid, nothing_else_is_parsed) {
  for (const char* wrong :
       {"", "a0eebc99", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11",
        "{0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 ",
        "-0eebc999c0b4ef8bb6d6bb9bd380a11"}) {
    EXPECT_EQ(uuid::parse(wrong), std::nullopt) << wrong;
  }
  EXPECT_THAT(refusal<uuid>(binary(type_oid::uuid, "15 bytes, no 16")), HasSubstr("PostgreSQL"));
  EXPECT_THAT(refusal<uuid>(text(type_oid::text, kSpelled)), HasSubstr("is no uuid"));
}

TEST(ValuesUuid, compares_as_its_bytes_and_can_be_a_key) {
  EXPECT_LT(uuid(), make_uuid());
  EXPECT_LT(make_uuid("7fffffff-ffff-ffff-ffff-ffffffffffff"), make_uuid());
  std::unordered_set<uuid> all;
  for (int i = 0; i < 256; ++i) {
    std::array<std::byte, 16> bytes{};
    bytes.back() = static_cast<std::byte>(i);
    all.emplace(bytes);
    all.emplace(bytes);
  }
  EXPECT_EQ(all.size(), 256U);
  EXPECT_NE(std::hash<uuid>{}(uuid()), std::hash<uuid>{}(make_uuid()));
}

TEST(ValuesJson, is_read_from_json_and_jsonb_in_both_forms) {
  const json document(R"({"a": [1, null]})");
  EXPECT_EQ(read_as<json>(text(type_oid::json, document.text())), document);
  EXPECT_EQ(read_as<json>(text(type_oid::jsonb, document.text())), document);
  EXPECT_EQ(read_as<json>(binary(type_oid::json, document.text())), document);
  EXPECT_EQ(read_as<json>(binary(type_oid::jsonb, "\1" + document.text())), document);
}

TEST(ValuesJson, is_sent_without_a_type_as_it_is) {
  const Column column = sent(json("[1,  2]"));
  EXPECT_EQ(column.type, type_oid::unspecified);
  EXPECT_FALSE(column.is_binary);
  EXPECT_EQ(column.value, "[1,  2]");
  EXPECT_EQ(sent(json()).value, "null");
  EXPECT_EQ(send_refusal(json(std::string("[\0]", 3))), "has a NUL inside");
}

TEST(ValuesJson, a_text_or_another_version_of_jsonb_is_refused) {
  EXPECT_THAT(refusal<json>(text(type_oid::text, "{}")), HasSubstr("which is text, is no json"));
  EXPECT_THAT(refusal<json>(binary(type_oid::jsonb, "\2{}")), HasSubstr("binary form"));
  EXPECT_THAT(refusal<json>(binary(type_oid::jsonb, "")), HasSubstr("binary form"));
}

TEST(ValuesGarbled, uuids_are_values_or_refused) {
  EXPECT_GT(count_values_among_garbled<uuid>(type_oid::uuid, true, "0123456789abcdef"), 0);
  EXPECT_GT(count_values_among_garbled<uuid>(type_oid::uuid, false, kSpelled), 0);
}

}  // namespace
}  // namespace pgweir::client

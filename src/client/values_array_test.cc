#include <cmath>
#include <cstdint>
#include <limits>

#include "client/made_result_test.h"

namespace pgweir::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Ints = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;
using OptionalTexts = std::vector<std::optional<std::string>>;

constexpr std::string_view kInt4Header = "00000001 00000000 00000017";

Column int4s(std::string_view hex) { return binary(type_oid::int4_array, bytes(hex)); }
Texts parse_texts(std::string_view from) {
  return read_as<Texts>(text(type_oid::text_array, from));
}

template <class T>
void expect_there_and_back(type_oid type, const std::vector<T>& values) {
  const Column column = sent(values);
  EXPECT_EQ(column.type, type);
  EXPECT_EQ(read_as<std::vector<T>>(column), values);
  EXPECT_EQ(sent(std::vector<T>()).type, type);
  EXPECT_THAT(there_and_back(std::vector<T>()), IsEmpty());
}

TEST(ValuesArray, numbers_are_sent_in_the_binary_form) {
  const Column column = sent(Ints{1, -1});
  EXPECT_TRUE(column.is_binary);
  EXPECT_EQ(column.value, bytes("00000001 00000000 00000017 00000002 00000001"
                                "00000004 00000001 00000004 ffffffff"));
  EXPECT_EQ(sent(Ints()).value, bytes("00000000 00000000 00000017"));
  EXPECT_EQ(sent(std::vector<std::optional<std::int32_t>>{std::nullopt, 1}).value,
            bytes("00000001 00000001 00000017 00000002 00000001 ffffffff 00000004 00000001"));
}

TEST(ValuesArray, every_type_goes_there_and_back) {
  using std::chrono::microseconds;
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  expect_there_and_back<bool>(type_oid::boolean_array, {true, false, true});
  expect_there_and_back<std::int16_t>(type_oid::int2_array, {-32768, 32767});
  expect_there_and_back<std::int32_t>(type_oid::int4_array, {0, 1, -1});
  expect_there_and_back<std::int64_t>(type_oid::int8_array, {least, 0, most});
  expect_there_and_back<float>(type_oid::float4_array, {1.5F, -0.0F});
  expect_there_and_back<double>(type_oid::float8_array, {1e308, 5e-324});
  expect_there_and_back<std::vector<std::byte>>(type_oid::bytea_array, {{}, {std::byte{0}}});
  expect_there_and_back<uuid>(type_oid::uuid_array, {uuid()});
  expect_there_and_back<std::chrono::sys_days>(type_oid::date_array, {std::chrono::sys_days()});
  expect_there_and_back<std::chrono::year_month_day>(type_oid::date_array,
                                                     {std::chrono::sys_days()});
  expect_there_and_back<std::chrono::sys_time<microseconds>>(
      type_oid::timestamptz_array, {std::chrono::sys_time<microseconds>(microseconds(-1))});
  expect_there_and_back<std::chrono::local_time<microseconds>>(
      type_oid::timestamp_array, {std::chrono::local_time<microseconds>(microseconds(1))});
  expect_there_and_back<std::optional<int>>(type_oid::int4_array, {1, std::nullopt, 3});
  expect_there_and_back<std::string>(type_oid::text_array, {"", "a b", "NULL", R"("\{},)"});
}

TEST(ValuesArray, texts_are_sent_as_a_literal_of_quoted_texts) {
  const Column column = sent(OptionalTexts{"plain", "", "NULL", std::nullopt, R"(a "b" \c)"});
  EXPECT_EQ(column.type, type_oid::text_array);
  EXPECT_FALSE(column.is_binary);
  EXPECT_EQ(column.value, R"({"plain","","NULL",NULL,"a \"b\" \\c"})");
  EXPECT_EQ(sent(std::vector<std::string_view>{"a"}).value, R"({"a"})");
  EXPECT_EQ(sent(std::vector<const char*>{"a", nullptr}).value, R"({"a",NULL})");
  EXPECT_EQ(sent(std::vector<const char*>()).type, type_oid::text_array);
}

TEST(ValuesArray, of_json_has_no_type_of_its_own) {
  const Column column = sent(std::vector<json>{json(R"({"a":1})")});
  EXPECT_EQ(column.type, type_oid::unspecified);
  EXPECT_EQ(column.value, R"({"{\"a\":1}"})");
  EXPECT_THAT(read_as<std::vector<json>>(text(type_oid::jsonb_array, *column.value)),
              ElementsAre(json(R"({"a":1})")));
}

TEST(ValuesArray, what_is_wrong_with_an_element_is_wrong_with_the_array) {
  EXPECT_EQ(send_refusal(Texts{"a", std::string("\0", 1), "b"}), "has a NUL inside");
  EXPECT_EQ(send_refusal(std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()}),
            "is larger than a bigint can be");
  EXPECT_EQ(send_refusal(std::vector<std::chrono::year_month_day>{{}}),
            "is a day that no calendar has");
  EXPECT_THAT(refusal<std::vector<std::int8_t>>(text(type_oid::int4_array, "{1,128}")),
              HasSubstr("which is int4[], does not fit; a std::vector was asked for"));
  EXPECT_THAT(refusal<std::vector<uuid>>(text(type_oid::text_array, "{a}")),
              HasSubstr("which is text[], is no uuid"));
}

TEST(ValuesArray, a_text_is_taken_apart) {
  EXPECT_THAT(read_as<OptionalTexts>(text(type_oid::text_array, R"({1,2,NULL,"a \"b\""})")),
              ElementsAre("1", "2", std::nullopt, "a \"b\""));
  EXPECT_THAT(parse_texts(R"({"NULL","",a b,"\\","{},"})"),
              ElementsAre("NULL", "", "a b", "\\", "{},"));
  EXPECT_THAT(parse_texts("{}"), IsEmpty());
  EXPECT_THAT(read_as<std::vector<bool>>(text(type_oid::boolean_array, "{t,f}")),
              ElementsAre(true, false));
  const auto numbers =
      read_as<std::vector<double>>(text(type_oid::float8_array, "{NaN,-Infinity,0.5}"));
  EXPECT_TRUE(std::isnan(numbers.at(0)));
  EXPECT_EQ(numbers.at(1), -std::numeric_limits<double>::infinity());
  EXPECT_THAT(read_as<Texts>(text(type_oid::numeric_array, "{1.50,NaN}")),
              ElementsAre("1.50", "NaN"));
  EXPECT_THAT(read_as<std::vector<std::vector<std::byte>>>(
                  text(type_oid::bytea_array, R"({"\\x00ff","\\x"})")),
              ElementsAre(ElementsAre(std::byte{0}, std::byte{255}), IsEmpty()));
}

TEST(ValuesArray, texts_are_read_from_the_binary_form_too) {
  EXPECT_THAT(read_as<Texts>(
                  binary(type_oid::text_array, bytes("00000001 00000000 00000019 00000002 00000001"
                                                     "00000001 61 00000000"))),
              ElementsAre("a", ""));
  EXPECT_EQ(read_as<std::string>(binary(type_oid::varchar, "as it is")), "as it is");
  EXPECT_THAT(refusal<std::string>(binary(type_oid::int4, "1234")), HasSubstr("came in binary"));
}

TEST(ValuesArray, it_may_begin_to_count_anywhere) {
  EXPECT_THAT(read_as<Ints>(text(type_oid::int4_array, "[0:1]={7,8}")), ElementsAre(7, 8));
  EXPECT_THAT(read_as<Ints>(text(type_oid::int4_array, "[-5:-5]={7}")), ElementsAre(7));
  EXPECT_THAT(read_as<Ints>(int4s("00000001 00000000 00000017 00000001 fffffff0"
                                  "00000004 00000007")),
              ElementsAre(7));
}

TEST(ValuesArray, more_dimensions_are_refused) {
  for (const char* deep : {"{{1,2},{3,4}}", "[0:0][1:2]={{1,2}}", "{{}}"}) {
    EXPECT_THAT(refusal<Ints>(text(type_oid::int4_array, deep)),
                HasSubstr("is an array of more than one dimension"));
  }
  EXPECT_THAT(refusal<Ints>(int4s("00000002 00000000 00000017 00000001 00000001")),
              HasSubstr("is an array of more than one dimension"));
}

TEST(ValuesArray, a_null_element_is_taken_by_optional_alone) {
  EXPECT_THAT(refusal<Ints>(text(type_oid::int4_array, "{1,NULL}")),
              HasSubstr("has an element that is NULL and no std::optional"));
  EXPECT_THAT(read_as<std::vector<std::optional<int>>>(text(type_oid::int4_array, "{1,NULL}")),
              ElementsAre(1, std::nullopt));
  EXPECT_EQ(read_as<std::optional<Ints>>(null(type_oid::int4_array)), std::nullopt);
  EXPECT_EQ(read_as<std::optional<Ints>>(text(type_oid::int4_array, "{3}")), Ints{3});
}

TEST(ValuesArray, what_is_no_array_is_refused) {
  EXPECT_THAT(refusal<Texts>(text(type_oid::text, "{a}")),
              HasSubstr("which is text, is no array of a type that is known here; cast it"));
  for (const char* garbled : {"", "{", "}", "{1", "{1,", "{1,}", "{,1}", "{1}x", "{1}}", "{\"1}",
                              "{\"1\\", "{\"1\"2}", "{1\"2\"}", "{1{2}", "[0:1]", "[0:1={1}"}) {
    OptionalTexts to;
    EXPECT_NE(
        value_traits<OptionalTexts>::decode({.bytes = garbled, .type = type_oid::text_array}, to),
        nullptr)
        << garbled;
  }
}

TEST(ValuesArray, every_truncation_of_the_binary_form_is_refused) {
  const std::string whole =
      bytes(kInt4Header) + bytes("00000002 00000001 00000004 00000001 00000004 00000002");
  EXPECT_THAT(read_as<Ints>(binary(type_oid::int4_array, whole)), ElementsAre(1, 2));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    Ints to;
    EXPECT_NE(
        value_traits<Ints>::decode(
            {.bytes = {cut.data(), cut.size()}, .is_binary = true, .type = type_oid::int4_array},
            to),
        nullptr)
        << length;
  }
  EXPECT_THAT(refusal<Ints>(binary(type_oid::int4_array, whole + "x")), HasSubstr("PostgreSQL"));
}

TEST(ValuesArray, a_binary_form_that_lies_is_refused) {
  for (const char* lie : {"00000001 00000000 00000014 00000001 00000001 00000004 00000001",
                          "00000001 00000002 00000017 00000001 00000001 00000004 00000001",
                          "00000001 00000000 00000017 7fffffff 00000001 00000004 00000001",
                          "00000001 00000000 00000017 00000001 00000001 fffffffe 00000001",
                          "00000001 00000000 00000017 00000001 00000001 00000005 00000001"}) {
    EXPECT_THAT(refusal<Ints>(int4s(lie)), HasSubstr("is not what PostgreSQL says"));
  }
}

TEST(ValuesGarbled, arrays_are_values_or_refused) {
  const std::string ints = *sent(Ints{1, 2}).value;
  EXPECT_GT(count_values_among_garbled<Ints>(type_oid::int4_array, true, ints), 0);
  const std::string flags = *sent(std::vector<std::optional<bool>>{true, std::nullopt}).value;
  EXPECT_GT((count_values_among_garbled<std::vector<std::optional<bool>>>(type_oid::boolean_array,
                                                                          true, flags)),
            0);
  EXPECT_GT(count_values_among_garbled<OptionalTexts>(type_oid::text_array, false,
                                                      R"({"a \"b\"",NULL,"\\c",d e})"),
            0);
  const std::string texts =
      bytes("00000001 00000000 00000019 00000003 00000001 00000001 61 00000001 62 00000001 63");
  EXPECT_GT(count_values_among_garbled<Texts>(type_oid::text_array, true, texts), 0);
  EXPECT_GT(count_values_among_garbled<Ints>(type_oid::int4_array, false, "[0:2]={1,-20,3}"), 0);
}

}  // namespace
}  // namespace pgweir::client

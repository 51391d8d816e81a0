#include <cmath>
#include <cstdint>
#include <limits>

#include "client/made_result_test.h"

namespace pgweir::client {
namespace {

using testing::HasSubstr;

template <class T>
void expect_limits_there_and_back() {
  using limits = std::numeric_limits<T>;
  for (const T value : {limits::lowest(), limits::min(), T{}, limits::max()}) {
    EXPECT_EQ(there_and_back(value), value);
  }
}

TEST(ValuesNumber, the_limits_of_each_type_go_there_and_back) {
  expect_limits_there_and_back<std::int8_t>();
  expect_limits_there_and_back<std::uint8_t>();
  expect_limits_there_and_back<std::int16_t>();
  expect_limits_there_and_back<std::uint16_t>();
  expect_limits_there_and_back<std::int32_t>();
  expect_limits_there_and_back<std::uint32_t>();
  expect_limits_there_and_back<std::int64_t>();
  expect_limits_there_and_back<float>();
  expect_limits_there_and_back<double>();
  EXPECT_EQ(send_refusal(std::uint64_t{1} << 63U), "is larger than a bigint can be");
  EXPECT_EQ(sent((std::uint64_t{1} << 63U) - 1).value, bytes("7fffffffffffffff"));
}

TEST(ValuesNumber, the_limits_are_read_from_their_text) {
  const auto parse = [](std::string_view from) {
    return read_as<std::int64_t>(text(type_oid::int8, from));
  };
  EXPECT_EQ(parse("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  for (const char* wrong : {"", "-", "9223372036854775808", "1x", " 1", "0x1", "1.0"}) {
    EXPECT_THAT(refusal<std::int64_t>(text(type_oid::int8, wrong)), HasSubstr("PostgreSQL"));
  }
  EXPECT_THAT(refusal<std::uint32_t>(text(type_oid::int8, "-1")), HasSubstr("does not fit"));
  EXPECT_THAT(refusal<std::int32_t>(text(type_oid::int8, "2147483648")), HasSubstr("does not fit"));
  EXPECT_THAT(refusal<int>(text(type_oid::numeric, "1")), HasSubstr("is no integer"));
}

TEST(ValuesNumber, nan_and_infinity_and_the_smallest_are_read_in_both_forms) {
  using limits = std::numeric_limits<double>;
  EXPECT_TRUE(std::isnan(read_as<double>(text(type_oid::float8, "NaN"))));
  EXPECT_TRUE(std::isnan(there_and_back(limits::quiet_NaN())));
  EXPECT_EQ(read_as<double>(text(type_oid::float8, "-Infinity")), -limits::infinity());
  EXPECT_EQ(there_and_back(-limits::infinity()), -limits::infinity());
  EXPECT_EQ(read_as<double>(text(type_oid::float8, "5e-324")), limits::denorm_min());
  EXPECT_EQ(read_as<float>(text(type_oid::float4, "1e-45")),
            std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(read_as<double>(text(type_oid::float8, "1.7976931348623157e+308")), limits::max());
  EXPECT_TRUE(std::signbit(read_as<double>(text(type_oid::float8, "-0"))));
}

TEST(ValuesNumber, a_float4_is_the_same_double_in_both_forms) {
  const auto from_text = read_as<double>(text(type_oid::float4, "0.1"));
  EXPECT_EQ(from_text, read_as<double>(binary(type_oid::float4, bytes("3dcccccd"))));
  EXPECT_EQ(from_text, static_cast<double>(0.1F));
  EXPECT_EQ(read_as<double>(text(type_oid::float8, "0.1")), 0.1);
  EXPECT_THAT(refusal<float>(text(type_oid::float8, "0.5")), HasSubstr("more precise"));
}

TEST(ValuesNumber, a_bool_is_one_of_two) {
  EXPECT_TRUE(read_as<bool>(text(type_oid::boolean, "t")));
  EXPECT_FALSE(read_as<bool>(text(type_oid::boolean, "f")));
  EXPECT_TRUE(there_and_back(true));
  EXPECT_FALSE(there_and_back(false));
  EXPECT_THAT(refusal<bool>(text(type_oid::boolean, "x")), HasSubstr("PostgreSQL"));
  EXPECT_THAT(refusal<bool>(binary(type_oid::boolean, "\2")), HasSubstr("PostgreSQL"));
  EXPECT_THAT(refusal<bool>(text(type_oid::int4, "1")), HasSubstr("is no bool"));
}

TEST(ValuesGarbled, numbers_are_values_or_refused) {
  EXPECT_GT(count_values_among_garbled<std::int64_t>(type_oid::int8, false, "-9223372036"), 0);
  EXPECT_GT(count_values_among_garbled<std::int64_t>(type_oid::int8, true, "12345678"), 0);
  EXPECT_GT(count_values_among_garbled<double>(type_oid::float8, false, "-1.5e-300"), 0);
  EXPECT_GT(count_values_among_garbled<double>(type_oid::float8, true, "12345678"), 0);
  EXPECT_GT(count_values_among_garbled<bool>(type_oid::boolean, true, "\1"), 0);
  EXPECT_GT(count_values_among_garbled<std::vector<std::byte>>(type_oid::bytea, false, "\\x00ff"),
            0);
}

}  // namespace
}  // namespace pgweir::client

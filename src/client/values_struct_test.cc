#include <cstdint>
#include <limits>

#include "client/made_result_test.h"

namespace pgweir::client {

struct Money {
  std::int64_t cents = 0;
};

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::optional<int> age;
  std::vector<std::string> tags;
  std::chrono::sys_days born;
  uuid key;
  json extra;
};

struct Name {
  std::string name;
};

struct Fixed {
  const int number;
  const bool flag = true;
};

struct Full {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x;
};

struct OneMore {
  Full all;
  int y;
};

}  // namespace
}  // namespace pgweir::client

namespace pgweir {

// A program's own.
template <>
struct value_traits<client::Money> {
  static constexpr std::string_view name = "Money";
  static const char* decode(const cell& from, client::Money& to) {
    return value_traits<std::int64_t>::decode(from, to.cents);
  }
};

}  // namespace pgweir

namespace pgweir::client {
namespace {

Column int4(std::string_view value) { return text(type_oid::int4, value); }

std::vector<Column> person() {
  return {text(type_oid::int8, "-9223372036854775808"),
          text(type_oid::text, "Ada"),
          null(type_oid::int4),
          text(type_oid::text_array, "{a,\"b c\"}"),
          text(type_oid::date, "1815-12-10"),
          text(type_oid::uuid, "00000000-0000-0000-0000-000000000000"),
          text(type_oid::jsonb, "{}")};
}

TEST(ValuesStruct, members_are_counted_and_have_their_types) {
  static_assert(detail::count_members<Name>() == 1);
  static_assert(detail::count_members<Person>() == 7);
  static_assert(detail::count_members<Fixed>() == 2);
  static_assert(detail::count_members<OneMore>() == 2);
  static_assert(
      std::is_same_v<detail::members_of<Person>,
                     std::tuple<std::int64_t, std::string, std::optional<int>,
                                std::vector<std::string>, std::chrono::sys_days, uuid, json>>);
  EXPECT_EQ(detail::count_members<Full>(), 24U);
}

TEST(ValuesStruct, a_row_becomes_a_struct_in_the_order_of_the_columns) {
  const rows all = rows_of(person());
  const auto ada = all.one().as<Person>();
  EXPECT_EQ(ada.id, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(ada.name, "Ada");
  EXPECT_EQ(ada.age, std::nullopt);
  EXPECT_THAT(ada.tags, ElementsAre("a", "b c"));
  EXPECT_EQ(std::chrono::year_month_day(ada.born).year(), std::chrono::year(1815));
  EXPECT_EQ(ada.key, uuid());
  EXPECT_EQ(ada.extra, json("{}"));
}

TEST(ValuesStruct, all_rows_become_structs) {
  const rows all = rows_of(person());
  int count = 0;
  for (const Person& one : all.as<Person>()) count += one.name == "Ada" ? 1 : 0;
  EXPECT_EQ(count, 1);
}

TEST(ValuesStruct, one_member_and_24_and_constants_are_structs_too) {
  EXPECT_EQ(rows_of({text(type_oid::text, "Ada")}).one().as<Name>().name, "Ada");
  const rows two = rows_of({int4("5"), text(type_oid::boolean, "f")});
  EXPECT_EQ(two.one().as<Fixed>().number, 5);
  EXPECT_FALSE(two.one().as<Fixed>().flag);
  std::vector<Column> columns;
  for (int i = 0; i < 24; ++i) columns.push_back(int4(std::to_string(i)));
  const auto full = rows_of(columns).one().as<Full>();
  EXPECT_EQ(full.a, 0);
  EXPECT_EQ(full.b, 1);
  EXPECT_EQ(full.x, 23);
}

TEST(ValuesStruct, another_number_of_columns_is_refused_with_both_numbers) {
  std::vector<Column> columns = person();
  columns.push_back({.type = type_oid::text, .value = "more", .name = "surplus"});
  const rows more = rows_of(columns);
  EXPECT_THAT([&] { static_cast<void>(more.one().as<Person>()); },
              ThrowsMessage<value_error>(AllOf(
                  HasSubstr("7 values were asked for and the row has 8"), HasSubstr("surplus"))));
  columns.resize(1);
  const rows fewer = rows_of(columns);
  EXPECT_THAT([&] { static_cast<void>(fewer.one().as<Person>()); },
              ThrowsMessage<value_error>(HasSubstr("7 values were asked for and the row has 1")));
}

TEST(ValuesStruct, what_does_not_fit_a_member_names_the_column) {
  const rows two = rows_of({int4("5"), {.type = type_oid::boolean, .name = "is_on"}});
  EXPECT_THAT([&] { static_cast<void>(two.one().as<Fixed>()); },
              ThrowsMessage<value_error>(AllOf(HasSubstr("\"is_on\""), HasSubstr("is NULL"))));
}

TEST(ValuesStruct, scalars_and_tuples_are_read_as_before) {
  const rows two = rows_of({int4("5"), text(type_oid::text, "five")});
  const auto [number, spelled] = two.one().as<int, std::string>();
  EXPECT_EQ(number, 5);
  EXPECT_EQ(spelled, "five");
  EXPECT_EQ(rows_of({int4("5")}).one().as<int>(), 5);
  EXPECT_EQ(rows_of({null(type_oid::int4)}).one().as<std::optional<int>>(), std::nullopt);
  EXPECT_EQ(rows_of({text(type_oid::text_array, "{a}")}).one().as<std::vector<std::string>>(),
            std::vector<std::string>{"a"});
}

TEST(ValuesStruct, a_struct_that_the_program_made_a_value_is_one_column) {
  const rows one = rows_of({int4("5")});
  EXPECT_EQ(one.one().as<Money>().cents, 5);
  EXPECT_EQ(one.one()["v"].as<std::optional<Money>>().value_or(Money()).cents, 5);
  const rows two = rows_of({int4("5"), int4("6")});
  const auto [left, right] = two.one().as<Money, Money>();
  EXPECT_EQ(left.cents + right.cents, 11);
}

}  // namespace
}  // namespace pgweir::client

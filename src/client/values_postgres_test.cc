#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "client/pool_scene_test.h"
#include "pgweir/database_pool.hpp"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using std::chrono::sys_days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Throws;
using testing::ThrowsMessage;

using Timestamptz = std::chrono::sys_time<microseconds>;
using Timestamp = std::chrono::local_time<microseconds>;
using Texts = std::vector<std::string>;
using OptionalTexts = std::vector<std::optional<std::string>>;

// What PostgreSQL itself makes of the values, and says of them.
class ValuesPostgresTest : public PoolScene {
 protected:
  void SetUp() override {
    PoolScene::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    db_.emplace(options("1"));
    lease_.emplace(db_->acquire());
  }
  void TearDown() override {
    lease_.reset();
    db_.reset();
    PoolScene::TearDown();
  }

  connection& lease() { return **lease_; }
  template <class T, class... Values>
  T ask(const char* statement, const Values&... values) {
    return (*lease_)->query(statement, values...).one().template as<T>();
  }
  template <class T>
  T echo(const T& value) {
    return ask<T>("select $1", value);
  }
  template <class T>
  std::string refusal(const char* statement) {
    std::string why;
    EXPECT_THAT([&] { static_cast<void>(ask<T>(statement)); },
                ThrowsMessage<value_error>(testing::Truly([&](const std::string& text) {
                  why = text;
                  return true;
                })));
    return why;
  }

 private:
  std::optional<database_pool> db_;
  std::optional<connection_lease> lease_;
};

TEST_F(ValuesPostgresTest, times_come_back_in_every_time_zone) {
  const Timestamptz times[] = {sys_days(1y / 1 / 2),
                               sys_days(1834y / 7 / 4) + 3h + 1us,
                               Timestamptz(-1us),
                               sys_days(2000y / 1 / 1) - 1us,
                               sys_days(2024y / 2 / 29) + 23h + 59min + 59s + 999'999us,
                               sys_days(9999y / 12 / 31),
                               Timestamptz::max() - 24h};
  for (const char* zone : {"UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin"}) {
    ask<std::string>("select set_config('timezone', $1, false)", zone);
    for (const Timestamptz time : times) {
      EXPECT_EQ(echo(time), time) << zone;
      EXPECT_EQ(echo(Timestamp(time.time_since_epoch())), Timestamp(time.time_since_epoch()));
    }
  }
}

TEST_F(ValuesPostgresTest, times_and_days_are_what_postgres_says_that_they_are) {
  EXPECT_TRUE(ask<bool>("select $1 = timestamptz '2024-02-29 12:00:00.000001+05:30'",
                        sys_days(2024y / 2 / 29) + 6h + 30min + 1us));
  EXPECT_TRUE(ask<bool>("select $1 = timestamptz 'epoch'", std::chrono::sys_seconds()));
  EXPECT_TRUE(
      ask<bool>("select $1 = date '5874897-12-31'", sys_days(std::chrono::days(detail::last_day))));
  EXPECT_TRUE(ask<bool>("select $1 = date '0001-01-01'", 1y / 1 / 1));
  EXPECT_EQ(echo(2024y / 2 / 29), 2024y / 2 / 29);
  EXPECT_EQ(ask<sys_days>("select date '5874897-12-31'"),
            sys_days(std::chrono::days(detail::last_day)));
  EXPECT_THAT(refusal<Timestamptz>("select timestamptz '-infinity'"), HasSubstr("is infinity"));
  EXPECT_THAT(refusal<sys_days>("select date '0044-03-15 BC'"), HasSubstr("before the year 1"));
  EXPECT_THAT(refusal<Timestamptz>("select timestamptz '294276-12-31 23:00+00'"),
              HasSubstr("is too far ahead"));
}

TEST_F(ValuesPostgresTest, another_date_style_is_refused_and_named) {
  ask<std::string>("select set_config('datestyle', 'German', false)");
  EXPECT_THAT(refusal<Timestamp>("select timestamp '2024-02-29 12:00'"), HasSubstr("DateStyle"));
  EXPECT_THAT(refusal<sys_days>("select date '2024-02-29'"), HasSubstr("DateStyle"));
}

TEST_F(ValuesPostgresTest, values_come_in_binary_where_asked_for) {
  const auto ask_binary = [&]<class T>(const T& value, const char* statement = "select $1") {
    for (int i = 0; i < 3; ++i) {  // By text, and by name.
      EXPECT_EQ(lease().query(sql(statement).binary(), value).one().template as<T>(), value);
      EXPECT_EQ(lease().query(statement, value).one().template as<T>(), value);
    }
  };
  ask_binary(std::int16_t{-3});
  ask_binary(std::numeric_limits<std::int64_t>::min());
  ask_binary(0.1F);
  ask_binary(-1.5e300);
  ask_binary(true);
  ask_binary(std::string("text"), "select $1::text");
  ask_binary(std::vector<std::byte>{std::byte{0}, std::byte{255}});
  ask_binary(uuid::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").value_or(uuid()));
  ask_binary(json("{\"a\": 1}"), "select $1::jsonb");
  ask_binary(Timestamptz(-1us));
  ask_binary(Timestamp(1us));
  ask_binary(2024y / 2 / 29);
  ask_binary(std::vector<std::optional<int>>{1, std::nullopt});
  ask_binary(std::vector<std::string>{"a", ""});
  ask_binary(std::optional<int>());
  EXPECT_THAT(
      [&] { static_cast<void>(lease().query(sql("select 1").binary()).one().as<std::string>()); },
      ThrowsMessage<value_error>(HasSubstr("came in binary")));
}

TEST_F(ValuesPostgresTest, uuid_and_json_come_back) {
  const uuid key = uuid::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").value_or(uuid());
  EXPECT_EQ(echo(key), key);
  EXPECT_EQ(ask<std::string>("select $1::text", key.text()), key.text());
  EXPECT_TRUE(ask<bool>("select $1 < gen_random_uuid()", uuid()));
  EXPECT_EQ(ask<json>("select $1::json", json("[1,  2]")), json("[1,  2]"));
  EXPECT_EQ(ask<json>("select $1::jsonb", json("[1,  2]")), json("[1, 2]"));
  EXPECT_TRUE(ask<bool>("select jsonb '{\"a\": 1}' @> $1", json("{\"a\":1}")));
  EXPECT_THAT([&] { ask<json>("select $1::jsonb", json("{")); }, Throws<server_error>());
}

TEST_F(ValuesPostgresTest, arrays_of_each_type_come_back) {
  using std::chrono::year_month_day;
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  const std::vector<std::int64_t> numbers{least, 0, std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(echo(numbers), numbers);
  const std::vector<std::optional<std::int16_t>> some{std::nullopt, std::int16_t{-3}};
  EXPECT_EQ(echo(some), some);
  const std::vector<bool> flags{true, false};
  EXPECT_EQ(echo(flags), flags);
  const std::vector<float> halves{0.1F, -std::numeric_limits<float>::infinity()};
  EXPECT_EQ(echo(halves), halves);
  EXPECT_TRUE(std::isnan(echo(std::vector<double>{NAN}).at(0)));
  const std::vector<std::vector<std::byte>> blobs{{}, {std::byte{0}, std::byte{92}}};
  EXPECT_EQ(echo(blobs), blobs);
  const std::vector<uuid> keys(2);
  EXPECT_EQ(echo(keys), keys);
  const std::vector<Timestamptz> times{Timestamptz(-1us)};
  EXPECT_EQ(echo(times), times);
  const std::vector<Timestamp> local{Timestamp(1us)};
  EXPECT_EQ(echo(local), local);
  const std::vector<year_month_day> days{1969y / 12 / 31};
  EXPECT_EQ(echo(days), days);
  const std::vector<json> documents{json(R"({"a": "b\"c"})"), json()};
  EXPECT_EQ(ask<std::vector<json>>("select $1::jsonb[]", documents), documents);
  EXPECT_TRUE(echo(std::vector<int>()).empty());
  EXPECT_TRUE(echo(Texts()).empty());
}

TEST_F(ValuesPostgresTest, no_text_is_changed_in_an_array) {
  const OptionalTexts texts{"",     "NULL", std::nullopt, "a b",  "a,b", "{}", "\"",  "\\",
                            "\\\"", "\n",   " a ",        "null", "'",   "$1", "\t,", "é"};
  EXPECT_EQ(echo(texts), texts);
  EXPECT_EQ(ask<std::int64_t>("select count(*) from unnest($1) as t where t is null", texts), 1);
  EXPECT_EQ(ask<std::string>("select ($1)[7]", texts), "\"");
}

TEST_F(ValuesPostgresTest, any_takes_arrays) {
  constexpr const char* count =
      "select count(*)::int4 from generate_series(1, 9) i where i = any($1)";
  EXPECT_EQ(ask<int>(count, std::vector<int>{2, 3, 99}), 2);
  EXPECT_EQ(ask<int>(count, std::vector<std::int64_t>{9}), 1);
  EXPECT_EQ(ask<int>(count, std::vector<int>()), 0);
  EXPECT_TRUE(ask<bool>("select 'b'::varchar = any($1)", Texts{"a", "b"}));
  EXPECT_TRUE(ask<bool>("select gen_random_uuid() <> all($1)", std::vector<uuid>(3)));
  EXPECT_TRUE(ask<bool>("select '00000000-0000-0000-0000-000000000000'::uuid = any($1::uuid[])",
                        Texts{uuid().text()}));
}

TEST_F(ValuesPostgresTest, arrays_of_postgres_are_taken_apart) {
  EXPECT_THAT(ask<std::vector<int>>("select '[0:1]={7,8}'::int4[]"), ElementsAre(7, 8));
  EXPECT_THAT(ask<Texts>("select array[1.50, 'NaN']::numeric[]"), ElementsAre("1.50", "NaN"));
  EXPECT_THAT(refusal<std::vector<int>>("select array[[1], [2]]"),
              HasSubstr("which is int4[], is an array of more than one dimension"));
  EXPECT_THAT(refusal<Texts>("select array['a'::name]"), HasSubstr("cast it to text[]"));
}

struct Sight {
  std::int64_t id;
  std::string what;
  std::optional<Timestamptz> seen;
  std::vector<std::optional<int>> counts;
};

TEST_F(ValuesPostgresTest, a_row_becomes_a_struct) {
  const auto sight = ask<Sight>("select 7::int8, 'owl', null::timestamptz, array[1, null]");
  EXPECT_EQ(sight.id, 7);
  EXPECT_EQ(sight.what, "owl");
  EXPECT_EQ(sight.seen, std::nullopt);
  EXPECT_THAT(sight.counts, ElementsAre(1, std::nullopt));
}

TEST_F(ValuesPostgresTest, the_object_ids_are_those_of_postgres) {
  for (const auto& [id, name] :
       {std::pair(type_oid::json, "json"), std::pair(type_oid::jsonb, "jsonb"),
        std::pair(type_oid::uuid, "uuid"), std::pair(type_oid::date, "date"),
        std::pair(type_oid::timestamp, "timestamp"),
        std::pair(type_oid::timestamptz, "timestamptz"), std::pair(type_oid::json_array, "_json"),
        std::pair(type_oid::jsonb_array, "_jsonb"), std::pair(type_oid::boolean_array, "_bool"),
        std::pair(type_oid::bytea_array, "_bytea"), std::pair(type_oid::varchar_array, "_varchar"),
        std::pair(type_oid::text_array, "_text"), std::pair(type_oid::numeric_array, "_numeric"),
        std::pair(type_oid::uuid_array, "_uuid")}) {
    EXPECT_EQ(ask<std::string>("select typname::text from pg_type where oid::int8 = $1",
                               static_cast<std::int64_t>(id)),
              name);
  }
}

TEST_F(ValuesPostgresTest, a_server_with_another_date_style_is_asked_for_iso) {
  PoolScene::ask("alter role postgres set datestyle = 'German, DMY'");
  database_pool db(options("1"));
  const rows dates = db.acquire()->query("select date '2024-02-29', current_setting('datestyle')");
  PoolScene::ask("alter role postgres reset datestyle");
  EXPECT_EQ((dates.one()[0].as<std::chrono::sys_days>()),
            std::chrono::sys_days(std::chrono::year(2024) / 2 / 29));
}

}  // namespace
}  // namespace pgweir::client

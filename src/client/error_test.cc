#include "pgweir/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pgweir/result.hpp"

namespace pgweir::client {
namespace {

using testing::AllOf;
using testing::Property;
using testing::StrEq;
using testing::Throws;

error_info make_info(error_kind kind) {
  return {.kind = kind,
          .text = "users.email is taken",
          .sqlstate = sqlstate::unique_violation,
          .outcome = transaction_outcome::rolled_back,
          .where = code_location::current()};
}

template <class Leaf>
void expect_thrown(error_kind kind) {
  EXPECT_THAT([kind] { throw_error(make_info(kind)); },
              Throws<Leaf>(AllOf(Property(&error::kind, kind),
                                 Property(&error::what, StrEq("users.email is taken")),
                                 Property(&error::outcome, transaction_outcome::rolled_back))));
}

TEST(ErrorTest, each_kind_is_thrown_as_its_own_leaf) {
  expect_thrown<config_error>(error_kind::config);
  expect_thrown<connect_error>(error_kind::connect);
  expect_thrown<acquire_timeout>(error_kind::acquire_timeout);
  expect_thrown<queue_full>(error_kind::queue_full);
  expect_thrown<pool_closed>(error_kind::pool_closed);
  expect_thrown<cancelled>(error_kind::cancelled);
  expect_thrown<server_error>(error_kind::server);
  expect_thrown<value_error>(error_kind::value);
  expect_thrown<result_too_large>(error_kind::result_too_large);
  expect_thrown<outcome_unknown>(error_kind::outcome_unknown);
}

TEST(ErrorTest, only_serialization_failures_and_deadlocks_are_worth_another_try) {
  error_info info = make_info(error_kind::server);
  EXPECT_FALSE(info.is_retryable());
  info.sqlstate = sqlstate::serialization_failure;
  EXPECT_TRUE(info.is_retryable());
  info.sqlstate = sqlstate{"40P01"};
  EXPECT_TRUE(info.is_retryable());
  info.sqlstate = sqlstate{"40003"};  // statement_completion_unknown
  EXPECT_FALSE(info.is_retryable());
}

TEST(ErrorTest, a_state_is_five_characters_or_none) {
  EXPECT_TRUE(sqlstate{}.empty());
  EXPECT_TRUE(sqlstate{"235"}.empty());
  EXPECT_EQ(sqlstate{"23505"}.text(), "23505");
  EXPECT_EQ(sqlstate{"23505"}.class_text(), "23");
  EXPECT_EQ(sqlstate{"23505 and more"}, sqlstate::unique_violation);
  EXPECT_EQ(sqlstate{}.text(), "");
}

TEST(ErrorTest, the_value_of_a_failed_result_throws_its_error) {
  const result<int> good = 7;
  EXPECT_EQ(good.value(), 7);
  EXPECT_EQ(*good, 7);
  const result<int> bad = make_info(error_kind::queue_full);
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, error_kind::queue_full);
  EXPECT_THROW(static_cast<void>(bad.value()), queue_full);
}

}  // namespace
}  // namespace pgweir::client

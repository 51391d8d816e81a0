#include "server/loans.h"

#include <gtest/gtest.h>

#include <vector>

namespace pgweir::server {
namespace {

class LoansTest : public testing::Test {
 protected:
  control::Loan answer(proxy::ErrandDone& done) {
    control::Loan told = control::CrowdedOut{};
    loans.of("app", "ann")->query({"select 1", {}}, [&](const control::Loan& loan) {
      told = loan;
    });
    done.id = sent.back()->id;
    loans.handle(done);
    return told;
  }

  std::vector<std::unique_ptr<proxy::RunErrand>> sent;
  Loans loans{
      [this](std::unique_ptr<proxy::RunErrand> errand) { sent.push_back(std::move(errand)); }};
};

TEST(InlineParametersTest, puts_each_in_its_place) {
  EXPECT_EQ(inline_parameters({"select $2::int, $1::int[], $2", {"{1,2}", "7"}}),
            "select '7'::int, '{1,2}'::int[], '7'");
  EXPECT_EQ(inline_parameters({"select 1", {}}), "select 1");
}

TEST_F(LoansTest, says_where_to_run_what) {
  loans.of("app", "ann")->query({"select $1", {"5"}, std::chrono::seconds(3)}, [](const auto&) {});
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0]->database, "app");
  EXPECT_EQ(sent[0]->user, "ann");
  EXPECT_EQ(sent[0]->sql, "select '5'");
  EXPECT_EQ(sent[0]->time_max, std::chrono::seconds(3));
}

TEST_F(LoansTest, brings_each_answer_to_who_asked) {
  std::vector<std::string> told;
  const auto borrow = loans.of("app", "ann");
  for (const char* name : {"first", "second"}) {
    borrow->query({"select 1", {}}, [&told, name](const auto&) { told.emplace_back(name); });
  }
  for (const std::size_t i : {1U, 0U}) {
    proxy::ErrandDone done;
    done.id = sent[i]->id;
    loans.handle(done);
  }
  EXPECT_EQ(told, (std::vector<std::string>{"second", "first"}));
}

TEST_F(LoansTest, tells_rows_failures_and_that_there_was_no_connection) {
  proxy::ErrandDone rows;
  rows.rows = {{std::string("20"), std::nullopt}};
  rows.pid = 77;
  const auto found = std::get<control::Found>(answer(rows));
  EXPECT_EQ(found.rows, (control::Rows{{"20", std::nullopt}}));
  EXPECT_EQ(found.pid, 77);

  proxy::ErrandDone failed;
  failed.failure = wire::Report{.severity = "FATAL",
                                .sqlstate = "28P01",
                                .message = "password authentication failed",
                                .detail = {},
                                .hint = {}};
  EXPECT_EQ(std::get<insight::Failure>(answer(failed)).kind, insight::FailureKind::WrongPassword);

  proxy::ErrandDone crowded;
  crowded.is_crowded_out = true;
  EXPECT_TRUE(std::holds_alternative<control::CrowdedOut>(answer(crowded)));
}

}  // namespace
}  // namespace pgweir::server

// Prepared statements that clients share on a server: who is answered by whom, and what heals when
// the server does not have what it should.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;
using testing::Not;

std::string run(std::string_view name) { return say::bind(name) + say::execute() + say::sync(); }
std::string prepare_and_run(std::string_view name) {
  return say::parse(name, "select $1::int") + run(name);
}
std::string ran() { return say::bind_complete() + say::complete("SELECT 1") + say::ready(); }

// How the server is asked to prepare the text that all of them use.
testing::Matcher<std::string> asks_to_prepare() { return HasSubstr("select $1::int"); }

class SharedStatementsTest : public testing::Test {
 protected:
  // A client that has the statement "s", and so has the server.
  void SetUp() override {
    stage.say(first, prepare_and_run("s"));
    ASSERT_THAT(stage.heard(stage.server()), asks_to_prepare());
    stage.say(stage.server(), say::parse_complete() + ran());
    ASSERT_EQ(stage.heard(first), say::parse_complete() + ran());
  }

  Stage stage;
  Party first = stage.add_client();
};

TEST_F(SharedStatementsTest, a_second_client_of_the_text_is_answered_without_the_server) {
  const Party second = stage.add_client();
  stage.say(second, prepare_and_run("t"));
  EXPECT_THAT(stage.heard(stage.server()), Not(asks_to_prepare()));
  EXPECT_EQ(stage.heard(second), say::parse_complete());
  stage.say(stage.server(), ran());
  EXPECT_EQ(stage.heard(second), ran());
  EXPECT_EQ(stage.lent(), 0U);
}

TEST_F(SharedStatementsTest, what_is_prepared_behind_a_local_setting_is_the_clients_own) {
  for (const std::string_view text :
       {"SET LOCAL TimeZone TO 'UTC'", "SELECT set_config('TimeZone', 'UTC', true)",
        "SELECT set_config('Time' || 'Zone', 'UTC', true)"}) {
    SCOPED_TRACE(text);
    const Party client = stage.add_client();
    stage.say(client, say::query("BEGIN"));
    stage.heard(stage.server());
    stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
    stage.say(client, say::query(text) + prepare_and_run("t"));
    EXPECT_THAT(stage.heard(stage.server()), asks_to_prepare());
    stage.say(stage.server(), say::complete("SET") + say::ready('T') + say::parse_complete() +
                                  say::message('2') + say::complete("SELECT 1") + say::ready('T'));
    stage.say(client, say::query("ROLLBACK"));
    stage.heard(stage.server());
    stage.say(stage.server(), say::complete("ROLLBACK") + say::ready());
    EXPECT_EQ(stage.lent(), 0U);
  }
}

TEST_F(SharedStatementsTest, one_that_the_server_has_lost_is_prepared_again_by_the_next) {
  const Party second = stage.add_client();
  stage.say(second, prepare_and_run("t"));
  stage.heard(stage.server());
  stage.say(stage.server(), say::error("26000") + say::ready());
  EXPECT_EQ(stage.heard(second), say::parse_complete() + say::error("26000") + say::ready());
  const Party third = stage.add_client();
  stage.say(third, prepare_and_run("u"));
  EXPECT_THAT(stage.heard(stage.server()), asks_to_prepare());
  stage.say(stage.server(), say::parse_complete() + ran());
  EXPECT_EQ(stage.heard(third), say::parse_complete() + ran());
  // And those who had it already need not know.
  stage.say(first, run("s"));
  EXPECT_THAT(stage.heard(stage.server()), Not(asks_to_prepare()));
  stage.say(stage.server(), ran());
  EXPECT_EQ(stage.heard(first), ran());
}

TEST_F(SharedStatementsTest, one_that_the_server_has_lost_is_prepared_again_for_its_owner) {
  stage.say(first, run("s"));
  stage.heard(stage.server());
  stage.say(stage.server(), say::error("26000") + say::ready());
  stage.heard(first);
  stage.say(first, run("s"));
  EXPECT_THAT(stage.heard(stage.server()), asks_to_prepare());
  stage.say(stage.server(), say::parse_complete() + ran());
  EXPECT_EQ(stage.heard(first), ran()) << "the ParseComplete is not the client's";
}

TEST_F(SharedStatementsTest, a_known_text_is_promised_without_a_server) {
  const Party second = stage.add_client();
  stage.say(second, say::parse("t", "select $1::int") + say::sync());
  EXPECT_EQ(stage.lent(), 0U);
  EXPECT_EQ(stage.heard(stage.server()), "");
  EXPECT_EQ(stage.heard(second), say::parse_complete() + say::ready());
}

TEST_F(SharedStatementsTest, a_promise_is_made_to_the_clients_of_its_own_pool_only) {
  const Party stranger = stage.add_client("other");
  ASSERT_EQ(stage.server_count(), 2U);
  stage.say(stranger, say::parse("t", "select $1::int") + say::sync());
  EXPECT_EQ(stage.lent(), 1U);
  EXPECT_EQ(stage.heard(stranger), "");
  EXPECT_THAT(stage.heard(stage.server(1)), asks_to_prepare());
  stage.say(stage.server(1), say::error("42P01") + say::ready());
  EXPECT_EQ(stage.heard(stranger), say::error("42P01") + say::ready());
}

TEST_F(SharedStatementsTest, a_name_stays_in_use_when_a_reload_switches_them_off) {
  auto changed = std::make_unique<OptionsChanged>();
  changed->options =
      Stage::make_options(1, [](Options& options) { options.statements_per_server_max = 0; });
  stage.deliver(std::move(changed));
  stage.say(first, say::parse("s", "select $1 + 1") + say::sync());
  const std::string asked = stage.heard(stage.server());
  EXPECT_THAT(asked, HasSubstr("pgweir_")) << "the server refuses the name, as the client expects";
  stage.say(stage.server(), say::error("42P05") + say::ready());
  EXPECT_EQ(stage.heard(first), say::error("42P05") + say::ready());
  // Whoever names the first one from now on keeps its own.
  const Party second = stage.add_client();
  stage.say(second, say::parse("s", "select $1 + 1") + say::sync());
  EXPECT_EQ(stage.heard(stage.server()), say::parse("s", "select $1 + 1") + say::sync());
}

// So that the server can refuse a name it has to know it; it learns it as the client reads now, and
// not for those who read as the client did once.
TEST(SharedStatementTest, a_name_in_use_is_made_known_as_its_client_reads_now) {
  Stage stage(2);
  const Party client = stage.add_client();
  stage.say(client, prepare_and_run("s") + say::query("set datestyle to german"));
  stage.heard(stage.server());
  stage.say(stage.server(), say::parse_complete() + ran() + say::complete("SET") +
                                say::parameter_status("DateStyle", "German, DMY") + say::ready());
  const Party holder = stage.add_client();
  stage.say(holder, say::query("begin"));
  stage.heard(stage.server());
  stage.say(client, say::parse("s", "select 'another'") + say::sync());
  ASSERT_EQ(stage.server_count(), 2U);
  EXPECT_THAT(stage.heard(stage.server(1)),
              AllOf(HasSubstr("German"), asks_to_prepare(), HasSubstr("another")));
  stage.say(stage.server(1), say::complete("SELECT 1") + say::ready() + say::parse_complete() +
                                 say::error("42P05") + say::ready());
  EXPECT_THAT(stage.heard(client), testing::EndsWith(say::error("42P05") + say::ready()));
  const Party other = stage.add_client();
  stage.say(other, prepare_and_run("t"));
  EXPECT_THAT(stage.heard(stage.server(1)), asks_to_prepare());
}

TEST_F(SharedStatementsTest, nothing_of_ours_is_put_inside_a_message_that_passes_in_pieces) {
  stage.say(first, say::describe("s") + say::flush());
  const std::string parameters = say::message('t', say::int16(1) + say::int32(23));
  const std::string rows = say::row_description();
  stage.say(stage.server(), parameters + rows.substr(0, 11));
  EXPECT_EQ(stage.heard(first), parameters + rows.substr(0, 11));
  // Its answer is owed by nobody but us, and due at once, were it not for the message under way.
  stage.say(first, say::parse("t", "select $1::int") + say::flush());
  EXPECT_EQ(stage.heard(first), "");
  stage.say(stage.server(), rows.substr(11));
  EXPECT_EQ(stage.heard(first), rows.substr(11) + say::parse_complete());
}

TEST_F(SharedStatementsTest, an_answer_of_ours_keeps_its_place_among_those_of_the_server) {
  const Party second = stage.add_client();
  stage.say(second, say::parse("", "select 0") + prepare_and_run("t"));
  EXPECT_EQ(stage.heard(second), "");
  stage.say(stage.server(), say::parse_complete());
  EXPECT_EQ(stage.heard(second), say::parse_complete() + say::parse_complete());
  stage.say(stage.server(), ran());
  EXPECT_EQ(stage.heard(second), ran());
}

// Whatever the server makes of it: the statement may be gone when its own answers come.
TEST_F(SharedStatementsTest, one_that_deallocates_itself_may_be_run) {
  const std::string done = say::complete("DEALLOCATE") + say::ready();
  const std::string refused = say::error("26000") + say::ready();
  for (const auto& [name, outcome] : {std::pair{"s1", done}, std::pair{"s2", refused}}) {
    stage.say(first, say::parse(name, "deallocate " + std::string(name)) + run(name));
    stage.say(stage.server(), say::parse_complete() + say::bind_complete() + outcome);
    EXPECT_EQ(stage.heard(first), say::parse_complete() + say::bind_complete() + outcome);
    stage.say(first, run("s"));
    stage.say(stage.server(), ran());
    EXPECT_EQ(stage.heard(first), ran());
  }
}

TEST_F(SharedStatementsTest, a_parse_that_fails_leaves_no_unnamed_statement) {
  stage.say(first, say::parse("", "select 0") + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::ready());
  stage.say(first, say::parse("", "selec") + say::sync());
  stage.say(stage.server(), say::error("42601") + say::ready());
  stage.heard(stage.server());
  stage.say(first, run(""));
  EXPECT_EQ(stage.heard(stage.server()), run("")) << "it was parsed again";
}

TEST_F(SharedStatementsTest, a_query_leaves_no_unnamed_statement_whatever_fails_ahead_of_it) {
  stage.say(first, say::parse("", "select 0") + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::ready());
  stage.say(first,
            say::execute() + say::parse("", "select 2") + say::sync() + say::query("select 3"));
  stage.say(stage.server(), say::error("34000") + say::ready() + say::one_row());
  stage.heard(stage.server());
  stage.say(first, run(""));
  EXPECT_EQ(stage.heard(stage.server()), run(""));
}

TEST_F(SharedStatementsTest, an_unnamed_statement_is_nobody_elses) {
  stage.say(first, say::parse("", "select 0") + say::sync());
  stage.say(stage.server(), say::parse_complete() + say::ready());
  stage.heard(stage.server());
  const Party second = stage.add_client();
  stage.say(second, run(""));
  EXPECT_EQ(stage.heard(stage.server()), say::close("") + run(""));
  stage.say(stage.server(), say::close_complete() + say::error("26000") + say::ready());
  EXPECT_EQ(stage.heard(second), say::error("26000") + say::ready());
}

TEST_F(SharedStatementsTest, a_parse_that_fails_leaves_the_unnamed_statement_behind_it_alone) {
  stage.say(first,
            say::parse("", "selec") + say::sync() + say::parse("", "select 2") + say::sync());
  stage.heard(stage.server());
  stage.say(stage.server(),
            say::error("42601") + say::ready() + say::parse_complete() + say::ready());
  stage.say(first, run(""));
  EXPECT_EQ(stage.heard(stage.server()), run(""));
}

TEST_F(SharedStatementsTest, what_is_prepared_behind_a_deallocate_all_of_its_batch_stays) {
  stage.say(first, say::parse("", "deallocate all") + say::bind("") + say::execute() +
                       prepare_and_run("s"));
  EXPECT_THAT(stage.heard(stage.server()), testing::EndsWith(say::execute() + say::flush()));
  stage.say(stage.server(),
            say::parse_complete() + say::bind_complete() + say::complete("DEALLOCATE ALL"));
  EXPECT_THAT(stage.heard(stage.server()), asks_to_prepare());
  stage.say(stage.server(), say::parse_complete() + ran());
  EXPECT_EQ(stage.heard(first), say::parse_complete() + say::bind_complete() +
                                    say::complete("DEALLOCATE ALL") + say::parse_complete() +
                                    ran());
  stage.say(first, run("s"));
  EXPECT_THAT(stage.heard(stage.server()), Not(asks_to_prepare()));
  stage.say(stage.server(), ran());
  EXPECT_EQ(stage.heard(first), ran());
}

TEST_F(SharedStatementsTest, what_a_name_stands_for_is_known_when_earlier_batches_are_answered) {
  const std::string failing = say::parse("", "select 1/0") + say::bind("") + say::execute();
  const std::string failed = say::parse_complete() + say::bind_complete() + say::error("22012");
  for (const std::string& change : {say::close("s"), say::parse("t", "selec")}) {
    const bool is_close = change[0] == 'C';
    SCOPED_TRACE(is_close ? "close" : "parse");
    const std::string next = is_close ? run("s") : prepare_and_run("t");
    stage.say(first, failing + change + say::sync() + next);
    EXPECT_THAT(stage.heard(stage.server()), testing::EndsWith(say::sync() + say::flush()));
    stage.say(stage.server(), failed + say::ready());
    EXPECT_THAT(stage.heard(stage.server()), testing::EndsWith(say::execute() + say::sync()));
    const std::string parsed = is_close ? "" : say::parse_complete();
    stage.say(stage.server(), ran());
    EXPECT_EQ(stage.heard(first), failed + say::ready() + parsed + ran());
  }
}

TEST_F(SharedStatementsTest, a_query_inside_of_a_batch_leaves_the_server_to_be_reset) {
  stage.say(first, say::bind("s") + say::execute() + say::query("select 2") + say::sync());
  stage.heard(stage.server());
  stage.say(stage.server(),
            say::bind_complete() + say::complete("SELECT 1") + say::one_row() + say::ready());
  EXPECT_EQ(stage.heard(stage.server()), say::query("DISCARD ALL"));
}

}  // namespace
}  // namespace pgweir::proxy

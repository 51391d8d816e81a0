// Servers that come from another Relay: what they bring along holds, and what does not fit ends.

#include "proxy/giving.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;
using testing::Not;

class GivingTest : public testing::Test {
 protected:
  void SetUp() override { stage.has_slow_logins = true; }

  // Of all levels: they are those of one pool.
  static void take_permit(pool::Exchange& exchange) {
    for (std::uint32_t i = 0; i < exchange.level_count(); ++i) {
      const std::array level{pool::LevelId{i}};
      EXPECT_TRUE(exchange.try_take(level).is_taken);
    }
  }
  // A server of the pool of app's clients, with a statement under a name that is not of this Relay.
  static std::unique_ptr<ServerGiven> make_given(pool::Exchange& exchange) {
    ServerPlan plan;
    plan.server_database = plan.user = plan.database.name = "app";
    auto given = std::make_unique<ServerGiven>();
    given->pool_level = *exchange.find_level(pool_level_name("app", "app", "127.0.0.1:5432", plan));
    auto opened_by = std::make_shared<ServerPlan>(plan);
    opened_by->database = Stage::make_options(2, {})->databases.front();
    given->plan = std::move(opened_by);
    given->cancel_key = {.pid = 77, .secret = base::ByteBuffer(4)};
    given->last_activity = base::Instant{} + std::chrono::hours(1);
    given->reported = {{"server_version", "15.9"},
                       {"client_encoding", "UTF8"},
                       {"standard_conforming_strings", "on"}};
    given->reported_at = base::Instant{} + std::chrono::hours(1);
    given->statements.push_back({.name = "pgweir_1000000000000007",
                                 .query = "select $1::int",
                                 .types = base::ByteBuffer(2),
                                 .reading = {}});
    take_permit(exchange);
    exchange.note_coming(0);
    return given;
  }
  // Another Relay sends it here.
  Party bring(std::unique_ptr<ServerGiven> given) { return stage.bring(std::move(given)); }

  Stage stage{4};
};

TEST_F(GivingTest, who_waits_is_served_by_it_and_learns_what_its_kind_reports) {
  const Party client = stage.add_client();
  ASSERT_EQ(stage.waiting(), 1U);
  bring(make_given(stage.exchange()));
  EXPECT_THAT(stage.heard(client), HasSubstr("server_version"));
  EXPECT_EQ(stage.waiting(), 0U);
  EXPECT_EQ(stage.lent(), 0U) << "the welcome was all that it was waiting for";
}

TEST_F(GivingTest, its_statements_keep_the_names_that_they_have_there) {
  const Party client = stage.add_client();
  const Party server = bring(make_given(stage.exchange()));
  stage.heard(client);
  stage.say(client,
            say::parse("s", "select $1::int") + say::bind("s") + say::execute() + say::sync());
  const std::string heard = stage.heard(server);
  EXPECT_THAT(heard, HasSubstr("pgweir_1000000000000007"));
  EXPECT_THAT(heard, Not(HasSubstr("select $1::int"))) << "it is prepared there already";
  stage.say(server, say::bind_complete() + say::complete("SELECT 1") + say::ready());
  EXPECT_EQ(stage.heard(client), say::parse_complete() + say::bind_complete() +
                                     say::complete("SELECT 1") + say::ready());
}

// What the server has under no name is a stranger's.
TEST_F(GivingTest, its_unnamed_statement_is_nobodys) {
  const Party client = stage.add_client();
  const Party server = bring(make_given(stage.exchange()));
  stage.heard(client);
  stage.say(client, say::bind("") + say::execute() + say::sync());
  EXPECT_THAT(stage.heard(server), testing::StartsWith(say::close("")));
}

TEST_F(GivingTest, its_parameters_are_known) {
  const Party client = stage.add_client();
  auto given = make_given(stage.exchange());
  given->parameters = {{"search_path", {.text = "other", .is_source = true}}};
  const Party server = bring(std::move(given));
  stage.heard(client);
  stage.say(client, say::query("select 1"));
  EXPECT_THAT(stage.heard(server), HasSubstr("search_path")) << "this client has not asked for it";
}

// The client is told what the server would have reported, had it been asked here.
TEST_F(GivingTest, so_is_how_it_spells_them) {
  const Party client = stage.add_client("app", {{"DateStyle", "German"}});
  auto given = make_given(stage.exchange());
  given->reported.emplace_back("DateStyle", "ISO, MDY");
  given->parameters = {{"DateStyle", {.text = "German"}}};
  given->spellings.push_back({"DateStyle", "German", "German, DMY"});
  bring(std::move(given));
  EXPECT_THAT(stage.heard(client), HasSubstr("German, DMY"));
}

TEST_F(GivingTest, one_of_another_configuration_is_closed) {
  const Party client = stage.add_client();
  auto given = make_given(stage.exchange());
  given->reload_count = 1;
  const Party server = bring(std::move(given));
  EXPECT_EQ(stage.heard(server), say::message('X'));
  EXPECT_EQ(stage.waiting(), 1U);
  EXPECT_EQ(stage.heard(client), "");
}

// After a reload a full table keeps a pool that leads to another server: what it counts against is
// the same, but a server of before is of another place.
TEST_F(GivingTest, one_that_was_opened_by_another_plan_is_closed) {
  const auto change = [](const std::function<void(ServerPlan&)>& with) {
    Stage fresh{2};
    fresh.has_slow_logins = true;
    fresh.add_client();
    auto given = make_given(fresh.exchange());
    auto plan = std::make_shared<ServerPlan>(*given->plan);
    with(*plan);
    given->plan = std::move(plan);
    const Party server = fresh.bring(std::move(given));
    return fresh.heard(server);
  };
  EXPECT_EQ(change([](ServerPlan&) {}), "") << "this one serves";
  EXPECT_EQ(change([](ServerPlan& plan) { plan.user = "bob"; }), say::message('X'));
  EXPECT_EQ(change([](ServerPlan& plan) { plan.server_database = "b"; }), say::message('X'));
  EXPECT_EQ(change([](ServerPlan& plan) { plan.database.hosts.front().port = 1; }),
            say::message('X'));
}

TEST_F(GivingTest, what_another_relay_has_heard_since_replaces_what_was_reported) {
  const Party client = stage.add_client();
  bring(make_given(stage.exchange()));
  stage.heard(client);
  auto newer = make_given(stage.exchange());
  newer->reported.emplace_back("TimeZone", "UTC");
  newer->reported.front().second = "15.10";
  newer->reported_at += std::chrono::seconds(1);
  bring(std::move(newer));
  EXPECT_EQ(stage.heard(client), say::parameter_status("server_version", "15.10") +
                                     say::parameter_status("TimeZone", "UTC"));
  auto older = make_given(stage.exchange());
  bring(std::move(older));
  EXPECT_EQ(stage.heard(client), "") << "that was before";
  EXPECT_THAT(stage.welcome_of(stage.add_client()), HasSubstr("15.10"));
}

// Its clients go on until they are done, and one of them has asked for it.
TEST_F(GivingTest, one_that_comes_while_pgweir_ends_serves_who_waits) {
  const Party client = stage.add_client();
  stage.deliver(std::make_unique<Drain>());
  const Party server = bring(make_given(stage.exchange()));
  EXPECT_THAT(stage.heard(client), HasSubstr("server_version"));
  stage.pass(std::chrono::seconds(1));
  EXPECT_TRUE(stage.is_closed(client)) << "it is at rest, and told to go";
  EXPECT_EQ(stage.heard(server), say::message('X')) << "it was the last one";
}

TEST_F(GivingTest, one_that_comes_when_nobody_is_left_is_closed) {
  const Party client = stage.add_client();
  auto given = make_given(stage.exchange());
  stage.end(client);
  stage.deliver(std::make_unique<Drain>());
  const Party server = bring(std::move(given));
  EXPECT_EQ(stage.heard(server), say::message('X'));
}

// Its permit is back with its end, and who has asked for it need not ask again.
TEST_F(GivingTest, one_that_has_died_on_the_way_is_replaced) {
  stage.add_client();
  ASSERT_EQ(stage.take<OpenServer>().size(), 1U);
  auto given = make_given(stage.exchange());
  const Party server = stage.bring(std::move(given), true);
  EXPECT_EQ(stage.waiting(), 1U);
  stage.end(server);
  EXPECT_EQ(stage.waiting(), 1U);
  for (std::uint32_t i = 0; i < stage.exchange().level_count(); ++i)
    EXPECT_EQ(stage.exchange().taken(pool::LevelId{i}), 1U) << "of the one that is being opened";
}

// Two Relays and one server, which goes to where it is wanted.
class TwoRelaysTest : public testing::Test {
 protected:
  // It is opened here.
  void SetUp() override {
    server = one.server();
    one.has_slow_logins = other.has_slow_logins = true;
  }

  static pool::LevelId pool_level(Stage& stage) {
    ServerPlan plan;
    plan.server_database = plan.user = plan.database.name = "app";
    return *stage.exchange().find_level(pool_level_name("app", "app", "127.0.0.1:5432", plan));
  }
  // Each has an exchange of its own, so the test counts the server in both.
  void move(Stage& from, Stage& to, pool::ReactorIndex index) {
    from.exchange().asks(pool_level(from)).ask(index, {}, 1, {});
    from.exchange().set_asking(index, true);
    from.deliver(std::make_unique<PermitsFreed>());
    from.exchange().set_asking(index, false);
    auto given = from.take<ServerGiven>();
    ASSERT_EQ(given.size(), 1U);
    given.front()->pool_level = pool_level(to);
    const std::array levels{pool_level(to)};
    EXPECT_TRUE(to.exchange().try_take(levels).is_taken);
    to.exchange().note_coming(index);
    server = to.bring(std::move(given.front()));
  }
  // Under which name the statement was prepared for it, if it was. sqlstate: its Bind fails.
  std::string run(Stage& stage, Party client, bool is_new, std::string_view sqlstate = {}) {
    stage.say(client, (is_new ? say::parse("s", "select $1::int") : std::string()) +
                          say::bind("s") + say::execute() + say::sync());
    const std::string heard = stage.heard(server);
    const bool is_parsed = heard.starts_with('P');
    const std::string answer =
        sqlstate.empty() ? say::bind_complete() + say::complete("SELECT 1") : say::error(sqlstate);
    stage.say(server, (is_parsed ? say::parse_complete() : std::string()) + answer + say::ready());
    stage.heard(client);
    return is_parsed ? heard.substr(5, heard.find('\0', 5) - 5) : std::string();
  }

  Stage one{4, {}, 0, 2};
  Stage other{4, {}, 1, 2};
  Party here = one.add_client();
  Party server{};
};

// Its result has another type by now. The first Relay does not know: a client there goes on with
// it, and gets a new one, beside which the old one still is.
TEST_F(TwoRelaysTest, the_name_of_a_retired_statement_is_not_used_again) {
  const std::string first = run(one, here, true);
  ASSERT_NE(first, "");
  Party there = other.add_client();
  move(one, other, 1);
  other.heard(there);
  ASSERT_EQ(run(other, there, true, "0A000"), "") << "the server has it";
  move(other, one, 0);
  const std::string anew = run(one, here, false);
  EXPECT_NE(anew, "");
  EXPECT_NE(anew, first);
  EXPECT_EQ(run(one, here, false), "");
  move(one, other, 1);
  const std::string last = run(other, there, false);
  EXPECT_TRUE(last.empty() || (last != first && last != anew)) << last;
}

// What is prepared while settings may be others is its client's own, on every Relay.
TEST_F(TwoRelaysTest, what_was_prepared_under_unknown_settings_is_nobody_elses) {
  const auto begin = [this](Stage& stage, Party client) {
    stage.say(client, say::query("BEGIN"));
    stage.heard(server);
    stage.say(server, say::complete("BEGIN") + say::ready('T'));
    stage.say(client, say::query("SET LOCAL TimeZone TO 'UTC'") + say::parse("t", "select 1") +
                          say::sync());
    std::string heard = stage.heard(server);
    stage.say(server,
              say::complete("SET") + say::ready('T') + say::parse_complete() + say::ready('T'));
    stage.say(client, say::query("ROLLBACK"));
    stage.heard(server);
    stage.say(server, say::complete("ROLLBACK") + say::ready());
    return heard;
  };
  EXPECT_THAT(begin(one, here), HasSubstr("select 1"));
  const Party there = other.add_client();
  move(one, other, 1);
  other.heard(there);
  EXPECT_THAT(begin(other, there), HasSubstr("select 1"));
}

}  // namespace
}  // namespace pgweir::proxy

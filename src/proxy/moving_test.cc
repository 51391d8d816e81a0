// A reload leads a database to another host while clients are there.

#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;

class MovingTest : public testing::Test {
 protected:
  void move(std::string_view host) {
    auto changed = std::make_unique<OptionsChanged>();
    changed->options = Stage::make_options(
        1, [host](Options& options) { options.databases.front().hosts.front().host = host; });
    stage.deliver(std::move(changed));
  }
  void begin() {
    stage.say(first, say::query("begin"));
    stage.heard(stage.server());
    stage.say(stage.server(), say::complete("BEGIN") + say::ready('T'));
    stage.heard(first);
  }
  void commit() {
    stage.say(first, say::query("commit"));
    EXPECT_EQ(stage.heard(stage.server()), say::query("commit"));
    stage.say(stage.server(), say::complete("COMMIT") + say::ready());
    EXPECT_EQ(stage.heard(first), say::complete("COMMIT") + say::ready());
  }
  void expect_served(Party client, std::size_t server) {
    stage.say(client, say::query("select 1"));
    EXPECT_EQ(stage.heard(stage.server(server)), say::query("select 1"));
    stage.say(stage.server(server), say::one_row());
    EXPECT_EQ(stage.heard(client), say::one_row());
  }

  Stage stage;
  Party first = stage.add_client();
  Party second = stage.add_client();
};

TEST_F(MovingTest, takes_clients_at_rest_along_and_leaves_no_server_behind) {
  expect_served(first, 0);
  move("elsewhere");
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
  expect_served(first, 1);
  expect_served(second, 1);
  EXPECT_EQ(stage.address_of(1), "elsewhere");
}

TEST_F(MovingTest, leaves_a_transaction_where_it_is_until_it_ends) {
  begin();
  move("elsewhere");
  expect_served(second, 1);
  commit();
  EXPECT_EQ(stage.heard(stage.server()), say::terminate());
  expect_served(first, 1);
}

TEST_F(MovingTest, gives_those_who_wait_a_place_in_the_new_line) {
  begin();
  const Party third = stage.add_client();
  stage.say(third, say::query("select 3"));
  stage.pass(std::chrono::milliseconds(1));
  stage.say(second, say::query("select 2"));
  EXPECT_EQ(stage.waiting(), 2U);
  move("elsewhere");
  EXPECT_EQ(stage.heard(stage.server(1)), say::query("select 3"));
  EXPECT_EQ(stage.waiting(), 1U);
  stage.say(stage.server(1), say::one_row());
  EXPECT_EQ(stage.heard(stage.server(1)), say::query("select 2"));
  stage.say(stage.server(1), say::one_row());
  EXPECT_EQ(stage.heard(second), say::one_row());
  EXPECT_EQ(stage.heard(third), say::one_row());
  commit();
}

TEST_F(MovingTest, again_finds_everybody) {
  begin();
  move("elsewhere");
  expect_served(second, 1);
  move("far away");
  commit();
  expect_served(first, 2);
  expect_served(second, 2);
  EXPECT_EQ(stage.address_of(2), "far away");
}

TEST_F(MovingTest, and_removing_ends_the_client_when_its_transaction_has_ended) {
  begin();
  move("elsewhere");
  auto changed = std::make_unique<OptionsChanged>();
  changed->options = Stage::make_options(1, [](Options& options) { options.databases.clear(); });
  stage.deliver(std::move(changed));
  EXPECT_TRUE(stage.is_closed(second));
  EXPECT_FALSE(stage.is_closed(first));
  stage.say(first, say::query("commit"));
  stage.say(stage.server(), say::complete("COMMIT") + say::ready());
  EXPECT_TRUE(stage.is_closed(first));
}

}  // namespace
}  // namespace pgweir::proxy

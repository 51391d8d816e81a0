// A server that refuses a setting of its client: what the client sent behind it has not run, or
// nobody knows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::HasSubstr;
using testing::Not;

const wire::Parameters kSettings = {{"search_path", "mine"}};
const std::string kRefusal = say::error("42501", "permission denied to set it") + say::ready();
std::string taken() { return say::complete("SELECT 1") + say::ready(); }

TEST(RefusedSettingsTest, are_told_as_they_are_where_nothing_was_sent_behind_them) {
  Stage stage;
  const Party client = stage.add_client("app", kSettings);
  stage.say(stage.server(), kRefusal);
  EXPECT_THAT(stage.heard(client), AllOf(HasSubstr("SFATAL"), HasSubstr("C42501")));
  EXPECT_TRUE(stage.is_closed(client));
}

TEST(RefusedSettingsTest, that_were_good_before_leave_the_statement_behind_them_in_doubt) {
  Stage stage;
  const Party first = stage.add_client("app", kSettings);
  stage.say(stage.server(), taken());
  stage.say(stage.add_client(), say::query("select 1"));  // Without settings.
  stage.say(stage.server(), taken() + say::one_row());
  stage.heard(stage.server());
  stage.say(first, say::query("insert into t values (1)"));
  EXPECT_THAT(stage.heard(stage.server()), HasSubstr("insert")) << "they are known to be good";
  stage.heard(first);
  stage.say(stage.server(), kRefusal);
  EXPECT_THAT(stage.heard(first), AllOf(HasSubstr("SFATAL"), HasSubstr("C08006"),
                                        HasSubstr("not known"), HasSubstr("permission denied")));
  EXPECT_TRUE(stage.is_closed(first));
}

TEST(RefusedSettingsTest, are_tried_alone_by_the_next_who_brings_them) {
  Stage stage(2);
  const Party first = stage.add_client("app", kSettings);
  stage.say(stage.server(), taken());
  stage.say(stage.add_client(), say::query("select 1"));
  stage.say(stage.server(), taken() + say::one_row());
  stage.say(first, say::query("insert into t values (1)"));
  stage.say(stage.server(), kRefusal);
  stage.heard(stage.server());
  stage.add_client("app", kSettings);
  EXPECT_THAT(stage.heard(stage.server(1)), AllOf(HasSubstr("mine"), Not(HasSubstr("insert"))));
}

}  // namespace
}  // namespace pgweir::proxy

// What a client could find of the one before it on its server, and no RESET takes away, is cleaned
// in front of its first request; its own settings come with it all the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

class CleaningTest : public testing::Test {
 protected:
  // The server has the settings of the one who brings them.
  void SetUp() override {
    ASSERT_THAT(hears(), HasSubstr("Asia/Tokyo"));
    stage.say(stage.server(), say::complete("SELECT 1") +
                                  say::parameter_status("TimeZone", "Asia/Tokyo") + say::ready());
    stage.heard(bringer);
  }
  std::string hears() { return stage.heard(stage.server()); }
  // The first to ask for it: from then on it is kept from everybody.
  void ask_for_the_last_value() {
    stage.say(other, say::query("select lastval()"));
    EXPECT_THAT(hears(), AllOf(HasSubstr("TimeZone"), HasSubstr("DISCARD SEQUENCES"),
                               EndsWith(say::query("select lastval()"))));
    stage.say(stage.server(), say::complete("RESET") + say::ready() +
                                  say::complete("DISCARD SEQUENCES") + say::ready() +
                                  say::one_row());
    EXPECT_EQ(stage.heard(other), say::one_row());
  }
  void leave() {
    stage.end(other);
    EXPECT_EQ(hears(), say::query("DISCARD ALL"));
    stage.say(stage.server(), say::complete("DISCARD ALL") + say::ready());
    EXPECT_EQ(stage.lent(), 0U);
  }

  Stage stage;
  Party bringer = stage.add_client("app", {{"TimeZone", "Asia/Tokyo"}});
  Party other = stage.add_client();
};

TEST_F(CleaningTest, is_done_although_settings_go_ahead_of_it) { ask_for_the_last_value(); }

TEST_F(CleaningTest, leaves_nobody_without_its_settings) {
  ask_for_the_last_value();
  leave();
  stage.say(bringer, say::query("select now()"));
  EXPECT_THAT(hears(), AllOf(HasSubstr("DISCARD SEQUENCES"), HasSubstr("Asia/Tokyo"),
                             EndsWith(say::query("select now()"))));
}

}  // namespace
}  // namespace pgweir::proxy

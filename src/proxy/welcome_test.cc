// What a client is told when it has logged in, and when.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/stage_test.h"

namespace pgweir::proxy {
namespace {

using Party = Stage::Party;

const std::string kVerdict = say::message('R', say::int32(0));

TEST(WelcomeTest, the_verdict_and_the_welcome_leave_together_where_no_server_is_needed) {
  Stage stage;
  stage.add_client();  // Since then it is known what servers report.
  const Party client = stage.add_client("app", {}, kVerdict);
  const std::string& welcome = stage.welcome_of(client);
  EXPECT_TRUE(welcome.starts_with(kVerdict + "S"));
  EXPECT_TRUE(welcome.ends_with(say::ready()));
  EXPECT_EQ(stage.io.peer(client).send_count, 1U);
}

TEST(WelcomeTest, it_says_once_who_is_in_between) {
  Stage stage;
  const std::string welcome = stage.welcome_of(stage.add_client());
  const std::string own = say::message(
      'S', std::string("pgweir.version\0" PGWEIR_VERSION "\0", 16 + sizeof PGWEIR_VERSION - 1));
  EXPECT_NE(welcome.find(own), std::string::npos);
  EXPECT_EQ(welcome.find("pgweir.version"), welcome.rfind("pgweir.version"));
}

TEST(WelcomeTest, who_has_to_wait_for_a_server_hears_the_verdict_at_once) {
  Stage stage;
  stage.has_slow_logins = true;
  const Party client = stage.add_client("app", {}, kVerdict);
  EXPECT_EQ(stage.welcome_of(client), kVerdict);
}

TEST(WelcomeTest, who_is_turned_away_hears_the_verdict_first) {
  Stage stage;
  const Party client =
      stage.add_client("app", {{"options", "-c \\"}, {"options", "nonsense"}}, kVerdict);
  EXPECT_TRUE(stage.welcome_of(client).starts_with(kVerdict + "E"));
  EXPECT_TRUE(stage.is_closed(client));
}

// A SET to the value that is there is not reported, and its text is not how the server spells it.
TEST(WelcomeTest, says_a_value_as_the_server_does_whatever_another_client_has_written) {
  const auto told = [](const char* text) {
    Stage stage;
    const Party first = stage.add_client();
    stage.say(stage.server(), say::parameter_status("TimeZone", "Europe/Berlin"));
    stage.say(first, say::query(text));
    stage.heard(stage.server());
    stage.say(stage.server(), say::complete("SET") + say::ready());
    const Party second = stage.add_client("app", {{"TimeZone", "Europe/Berlin"}});
    stage.heard(stage.server());
    stage.say(stage.server(), say::complete("SELECT 1") + say::ready());
    return stage.welcome_of(second) + stage.heard(second);
  };
  for (const char* text : {"set timezone to 'Europe/Berlin'", "set time zone 'europe/berlin'",
                           "begin; set timezone = E'Europe/Berlin'; commit"}) {
    EXPECT_THAT(told(text), testing::HasSubstr(say::parameter_status("TimeZone", "Europe/Berlin")))
        << text;
  }
}

TEST(WelcomeTest, who_comes_too_late_hears_the_verdict_first) {
  for (const bool is_removed : {true, false}) {
    Stage stage;
    stage.add_client();
    if (is_removed) {
      auto changed = std::make_unique<OptionsChanged>();
      changed->options = std::make_shared<Options>();
      stage.deliver(std::move(changed));
    } else {
      stage.deliver(std::make_unique<Drain>());
    }
    const Party client = stage.add_client("app", {}, kVerdict);
    EXPECT_TRUE(stage.welcome_of(client).starts_with(kVerdict + "E"));
    EXPECT_TRUE(stage.is_closed(client));
  }
}

}  // namespace
}  // namespace pgweir::proxy

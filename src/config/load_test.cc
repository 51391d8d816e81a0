#include "config/load.h"

#include "config/loading_test.h"

namespace pgweir::config {
namespace {

using testing::ElementsAre;

TEST(LoadTest, needs_something_to_stand_in_front_of) {
  EXPECT_THAT(
      lines(load({}).mistakes),
      ElementsAre("no database; set DATABASE_URL=postgresql://user:password@host:5432/dbname "
                  "or name one in the configuration file"));
}

TEST(LoadTest, prefers_options_to_environment_to_url_to_file) {
  Sources sources{.file = ConfigFile{"pgweir.toml", "max_client_conn = 1\n"},
                  .database_url = "postgres://u:p@h/d?max_client_conn=2",
                  .environment = {{"PGWEIR_MAX_CLIENT_CONN", "3"}},
                  .options = {{"max_client_conn", "4"}},
                  .reader = files({})};
  EXPECT_EQ(good(load(sources)).proxy.client_count_max, 4U);
  sources.options.clear();
  EXPECT_EQ(good(load(sources)).proxy.client_count_max, 3U);
  sources.environment.clear();
  EXPECT_EQ(good(load(sources)).proxy.client_count_max, 2U);
  sources.database_url = "postgres://u:p@h/d";
  EXPECT_EQ(good(load(sources)).proxy.client_count_max, 1U);
}

TEST(LoadTest, says_that_a_file_with_databases_hides_the_url) {
  const LoadResult result = load({.file = ConfigFile{"pgweir.toml", "[databases.a]\nhost = 'h'\n"},
                                  .database_url = "postgres://u:p@other/b?pool_timeout=1",
                                  .reader = files({})});
  EXPECT_EQ(only_database(result).name, "a");
  EXPECT_THAT(lines(result.notes),
              ElementsAre("DATABASE_URL: is not used, since pgweir.toml names databases"));
}

TEST(LoadTest, names_the_mistakes_of_all_sources_at_once) {
  EXPECT_THAT(
      lines(load({.file = ConfigFile{"pgweir.toml", "pool_mod = 1\n"},
                  .database_url = "postgres://u:p@/d",
                  .environment = {{"PGWEIR_MARGIN", "x"}},
                  .options = {{"listen", "6432"}, {"http", "here"}},
                  .reader = files({})})
                .mistakes),
      ElementsAre("--listen: must be address:port such as 127.0.0.1:6432 or [::1]:6432, not "
                  "'6432'",
                  "pgweir.toml:1: pool_mod: unknown setting; did you mean pool_mode?",
                  "PGWEIR_MARGIN: margin: must be a whole number from 0, not 'x'",
                  "--http: must be address:port such as 127.0.0.1:6433 or [::1]:6433, "
                  "or off, not 'here'",
                  "DATABASE_URL: host: is missing; expected the server's name, its address "
                  "or the directory of its socket"));
}

// Kubernetes gives every pod PGWEIR_PORT=tcp://… when a service is called pgweir.
TEST(LoadTest, notes_names_of_the_environment_that_are_no_settings) {
  const LoadResult result = load({.database_url = "postgres://u:p@h/d",
                                  .environment = {{"PGWEIR_PORT", "tcp://10.0.0.1:6432"}}});
  EXPECT_TRUE(result.config.has_value());
  EXPECT_THAT(lines(result.notes),
              ElementsAre("PGWEIR_PORT: is not the name of a setting; it is not used"));
}

TEST(LoadTest, takes_listen_apart) {
  const Config config =
      good(load({.database_url = "postgres://u:p@h/d", .options = {{"listen", ":7000"}}}));
  EXPECT_THAT(config.listen.addresses, ElementsAre("*"));
  EXPECT_EQ(config.listen.port, 7000U);
}

TEST(LoadTest, keeps_the_notes_in_the_configuration) {
  EXPECT_THAT(lines(good(load_url("postgres://u:p@h/d?pgbouncer=true")).notes),
              ElementsAre(testing::HasSubstr("pgbouncer")));
}

}  // namespace
}  // namespace pgweir::config

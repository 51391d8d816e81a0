#include "proxy/route.h"

#include <gtest/gtest.h>

#include "pool/exchange.h"

namespace pgweir::proxy {
namespace {

struct RouteTest : testing::Test {
  RouteTest() {
    DatabaseOptions& database = options.databases.emplace_back();
    database.name = "*";
    database.hosts.emplace_back().host = "h";
    options.users.emplace_back().name = "app";
  }
  Route& find(const std::string& database, const std::string& user) {
    return routes.find(options, options.databases[0], database, user, base::Instant{});
  }

  std::uint32_t limit_of(const std::string& level) const {
    for (std::uint32_t i = 0; i < exchange.level_count(); ++i) {
      if (exchange.name(pool::LevelId{i}) == level) return exchange.limit(pool::LevelId{i});
    }
    return 0;
  }

  Options options;
  pool::Exchange exchange;
  pool::Shard shard{exchange, 1};
  obs::Metrics metrics;
  Placement placement{exchange};
  Routes routes{{exchange, shard, metrics, placement}, {{"h:5432", {.unnamed = 1}}}};
};

TEST_F(RouteTest, one_route_for_a_database_and_user) {
  EXPECT_EQ(&find("a", "app"), &find("a", "app"));
  EXPECT_NE(&find("a", "app"), &find("b", "app"));
}

TEST_F(RouteTest, a_user_in_no_list_has_the_limit_of_all_others) {
  options.user_defaults.server_count_max = 3;
  options.users[0].server_count_max = 5;
  const auto limit_of_role = [&](const std::string& user) {
    find("a", user);
    return limit_of("role h:5432 " + user);
  };
  EXPECT_EQ(limit_of_role("app"), 5U);
  EXPECT_EQ(limit_of_role("stranger"), 3U);
  options.user_defaults.server_count_max = 4;
  routes.set_options(options, base::Instant{});
  EXPECT_EQ(limit_of_role("stranger"), 4U) << "a reload changes what is there";
}

TEST_F(RouteTest, a_role_and_a_database_have_the_limits_that_were_found_for_them) {
  find("a", "app");
  find("b", "app");
  const auto expect = [&](std::uint32_t app, std::uint32_t a, std::uint32_t b) {
    EXPECT_EQ(limit_of(role_level_name("h:5432", "app")), app);
    EXPECT_EQ(limit_of(database_level_name("h:5432", "a")), a);
    EXPECT_EQ(limit_of(database_level_name("h:5432", "b")), b);
  };
  expect(1, 1, 1);  // Nobody has looked yet.
  const budget::Limits found{.server = 20, .roles = {{"app", 7}}, .databases = {{"b", 2}}};
  routes.set_limits("elsewhere:5432", found, 1, base::Instant{});
  expect(1, 1, 1);
  routes.set_limits("h:5432", found, 1, base::Instant{});
  expect(7, pool::kUnlimited, 2);
  EXPECT_EQ(limit_of(server_level_name("h:5432")), 20U);
  // What is set holds beside it.
  options.users[0].server_count_max = 5;
  routes.set_options(options, base::Instant{});
  expect(7, pool::kUnlimited, 2);
  EXPECT_EQ(limit_of("role h:5432 app"), 5U);
  routes.set_limits("h:5432", {}, 2, base::Instant{});
  expect(pool::kUnlimited, pool::kUnlimited, pool::kUnlimited);
  EXPECT_EQ(limit_of("role h:5432 app"), 5U);
}

// Two Relays hear of what was found one after the other.
TEST_F(RouteTest, who_hears_late_of_an_old_limit_does_not_bring_it_back) {
  pool::Shard other_shard{exchange, 2};
  Routes other{{exchange, other_shard, metrics, placement}, {{"h:5432", {.unnamed = 1}}}};
  const auto expect = [&](const char* when) {
    EXPECT_EQ(limit_of(server_level_name("h:5432")), 5U) << when;
    EXPECT_EQ(limit_of(role_level_name("h:5432", "app")), 4U) << when;
  };
  const budget::Limits old{.server = 20, .roles = {{"app", 7}}};
  const budget::Limits now{.server = 5, .roles = {{"app", 4}}};
  find("a", "app");
  routes.set_limits("h:5432", old, 1, base::Instant{});
  routes.set_limits("h:5432", now, 2, base::Instant{});
  other.find(options, options.databases[0], "a", "app", base::Instant{});
  expect("a pool of a Relay that has heard of nothing");
  other.set_limits("h:5432", old, 1, base::Instant{});
  expect("a Relay that is behind");
  other.set_limits("h:5432", now, 2, base::Instant{});
  other.set_limits("h:5432", old, 1, base::Instant{});
  expect("what was overtaken on its way");
}

TEST_F(RouteTest, one_that_is_led_elsewhere_counts_there) {
  Route& old = find("a", "app");
  const auto reload = [&](auto change) {
    change(options.databases[0]);
    routes.set_options(options, base::Instant{});
  };
  const auto expect_successor = [&](const char* why, auto change) {
    SCOPED_TRACE(why);
    Route& before = find("a", "app");
    reload(change);
    Route& after = find("a", "app");
    EXPECT_NE(before.pool, after.pool);
    EXPECT_EQ(before.successor, &after);
    EXPECT_EQ(shard.options(before.pool).server_count_min, 0U);
  };
  reload([](DatabaseOptions& database) { database.pool.server_count_min = 1; });
  EXPECT_EQ(&find("a", "app"), &old);
  expect_successor("host", [](DatabaseOptions& database) { database.hosts[0].host = "other"; });
  EXPECT_EQ(find("a", "app").node, "other:5432");
  EXPECT_EQ(old.node, "h:5432");
  expect_successor("role", [](DatabaseOptions& database) { database.user = "somebody"; });
  expect_successor("database", [](DatabaseOptions& database) { database.server_database = "b"; });
  EXPECT_EQ(routes.count(), 4U) << "what has a successor gets no other";
}

TEST_F(RouteTest, names_that_clients_invent_come_to_an_end) {
  for (std::size_t i = 0; i < kRouteCountMax; ++i) {
    const std::string name = std::to_string(i);
    ASSERT_TRUE(routes.has_room_for(name, "app"));
    find(name, "app");
  }
  EXPECT_FALSE(routes.has_room_for("one more", "app"));
  EXPECT_TRUE(routes.has_room_for("7", "app"));
}

}  // namespace
}  // namespace pgweir::proxy

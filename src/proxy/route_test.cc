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

  Options options;
  pool::Exchange exchange;
  pool::Shard shard{exchange, 1};
  obs::Metrics metrics;
  Routes routes{exchange, shard, metrics, {}};
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
    for (std::uint32_t i = 0; i < exchange.level_count(); ++i) {
      if (exchange.name(pool::LevelId{i}) == "role h:5432 " + user)
        return exchange.limit(pool::LevelId{i});
    }
    return 0U;
  };
  EXPECT_EQ(limit_of_role("app"), 5U);
  EXPECT_EQ(limit_of_role("stranger"), 3U);
  options.user_defaults.server_count_max = 4;
  routes.set_options(options, base::Instant{});
  EXPECT_EQ(limit_of_role("stranger"), 4U) << "a reload changes what is there";
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

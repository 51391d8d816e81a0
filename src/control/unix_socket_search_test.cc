// The search as a service connection begins it, against a real server with a socket of its own.
#include "control/unix_socket_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "control/postgres_test.h"
#include "control/scripted_host_test.h"
#include "control/service_connection.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class CountedPermits : public PermitSource {
 public:
  bool try_take() override {
    if (free == 0) return false;
    --free;
    least = std::min(least, free);
    return true;
  }
  void give_back() override { ++free; }

  int free = 2;
  int least = 2;
};

class UnixSocketSearchTest : public PostgresTest {
 protected:
  void start(proxy::DatabaseOptions with) {
    service = std::make_unique<ServiceConnection>(
        *loop, *resolver, ServiceHost{permits, pool},
        ServiceOptions{.node = "test",
                       .database = std::move(with),
                       .budget = {.health_interval = 5ms, .monitor_idle = 60s},
                       .seed = 1,
                       .socket_directories = {"/nowhere", server().socket_directory()}},
        ServiceCallbacks{
            .discovery =
                [] {
                  return Statement{"select pg_backend_pid()", {}};
                },
            .discovered =
                [this](const Found& found) {
                  pid = found.pid;
                  return loop->now() + 60s;
                },
            .measured = [this](std::uint32_t) { ++measured; },
            .failed = [](const insight::Failure&) {},
            .crowded_out = [] {},
            .lost_counted = [](std::size_t) {},
            .unix_socket_changed = [this](const auto& told) { news.push_back(told); }});
    service->start();
    service->handle_clients(Clients::Active);
  }
  template <class Condition>
  void turn_until(const Condition& condition) {
    while (!condition()) loop->turn();
  }
  void measure_for_a_while() {
    turn_until([this, until = measured + 5] { return measured >= until; });
  }
  // On a connection of its own; returns the first value.
  std::string run(const std::string& statement) {
    const std::string way_in = server().url();
    PGconn* connection = PQconnectdb(way_in.c_str());
    PGresult* result = PQexec(connection, statement.c_str());
    const ExecStatusType status = PQresultStatus(result);
    EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        << PQerrorMessage(connection);
    std::string first = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
    PQclear(result);
    PQfinish(connection);
    return first;
  }
  static std::string hba() { return server().socket_directory() + "/data/pg_hba.conf"; }
  // A backend has the time of its postmaster's last reload.
  void reload() {
    const std::string before = run("select pg_conf_load_time()");
    run("select pg_reload_conf()");
    while (run("select pg_conf_load_time()") == before) {
    }
  }

  CountedPermits permits;
  ScriptedPool pool;
  std::unique_ptr<Resolver> resolver = std::move(Resolver::create(*loop, {})).value();
  std::vector<UnixSocketNews> news;
  int measured = 0;
  int pid = 0;
  std::unique_ptr<ServiceConnection> service;
};

TEST_F(UnixSocketSearchTest, finds_the_socket_of_the_same_server) {
  start(database());
  turn_until([&] { return !news.empty(); });
  EXPECT_EQ(news[0].address, "127.0.0.1");
  EXPECT_EQ(news[0].port, server().port());
  EXPECT_EQ(news[0].path, socket_path(server().socket_directory(), server().port()));
  EXPECT_EQ(news[0].problem, "");
  turn_until([&] { return permits.free == 1; });
  measure_for_a_while();
  EXPECT_EQ(news.size(), 1U);
  EXPECT_EQ(permits.free, 1) << "of the service connection itself";
}

TEST_F(UnixSocketSearchTest, waits_for_a_permit_of_its_own) {
  permits.free = 1;
  start(database());
  measure_for_a_while();
  EXPECT_TRUE(news.empty());
  permits.free = 1;
  turn_until([&] { return !news.empty() && permits.free == 1; });
  EXPECT_NE(news[0].path, "");
}

TEST_F(UnixSocketSearchTest, does_not_look_where_nobody_prefers_a_socket) {
  proxy::DatabaseOptions with = database();
  with.prefers_unix_socket = false;
  start(with);
  measure_for_a_while();
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(permits.least, 1);
}

TEST_F(UnixSocketSearchTest, does_not_look_for_what_is_a_socket_already) {
  proxy::DatabaseOptions with = database();
  with.hosts[0].host = server().socket_directory();
  start(with);
  measure_for_a_while();
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(permits.least, 1);
}

TEST_F(UnixSocketSearchTest, takes_back_what_it_found_when_its_connection_ends) {
  start(database());
  turn_until([&] { return news.size() == 1; });
  run("select pg_terminate_backend(" + std::to_string(pid) + ")");
  turn_until([&] { return news.size() == 3; });
  EXPECT_EQ(news[1].address, "127.0.0.1");
  EXPECT_EQ(news[1].path, "");
  EXPECT_EQ(news[1].problem, "");
  EXPECT_EQ(news[2].path, news[0].path) << "and proves it anew over the next one";
}

TEST_F(UnixSocketSearchTest, uses_none_where_the_server_may_not_say_who_it_is) {
  run("revoke execute on function pg_control_system() from public");
  run("create role asker login password 'asker'");
  proxy::DatabaseOptions with = database();
  with.user = "asker";
  with.password = base::Secret("asker");
  start(with);
  turn_until([&] { return !news.empty(); });
  EXPECT_EQ(news[0].path, "");
  EXPECT_THAT(news[0].problem, HasSubstr("permission denied"));
  measure_for_a_while();
  EXPECT_EQ(news.size(), 1U);
  EXPECT_EQ(permits.free, 1);
  service.reset();
  run("drop role asker");
  run("grant execute on function pg_control_system() to public");
}

TEST_F(UnixSocketSearchTest, uses_none_that_does_not_let_it_in) {
  std::filesystem::rename(hba(), hba() + ".kept");
  std::ofstream(hba()) << "local all all reject\nhost all all 127.0.0.1/32 scram-sha-256\n";
  std::filesystem::permissions(hba(), std::filesystem::perms(0644));
  reload();
  start(database());
  turn_until([&] { return !news.empty(); });
  EXPECT_THAT(news[0].problem, HasSubstr(".s.PGSQL."));
  std::filesystem::rename(hba() + ".kept", hba());
  reload();
  const int before = pid;
  run("select pg_terminate_backend(" + std::to_string(pid) + ")");
  turn_until([&] { return pid != before; });
  measure_for_a_while();
  EXPECT_EQ(news.size(), 1U) << "for the life of the process";
}

TEST_F(UnixSocketSearchTest, may_end_at_any_time) {
  for (int turns = 0; turns < 24; ++turns) {
    permits.free = 2;
    start(database());
    for (int turn = 0; turn < turns; ++turn) loop->turn();
    service.reset();
    turn_until([&] { return permits.free == 2; });
  }
}

}  // namespace
}  // namespace pgweir::control

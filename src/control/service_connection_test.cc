#include "control/service_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/postgres_test.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

class CountedPermits : public PermitSource {
 public:
  explicit CountedPermits(int count) : free(count) {}
  bool try_take() override {
    if (free == 0) return false;
    --free;
    return true;
  }
  void give_back() override { ++free; }

  int free;
};

// A pool with one connection, which may be taken or not there.
class FakePool : public Borrow {
 public:
  explicit FakePool(loop::Loop& loop) : loop_(loop) {}
  void query(const Statement& statement, std::function<void(const Loan&)> answered) override {
    ++asked;
    if (said) return loop_.post([loan = *said, answered] { answered(loan); });
    connection->query(statement, [this, answered](const Answer& answer) {
      answered(Found{std::get<Rows>(answer), connection->pid()});
    });
  }

  std::unique_ptr<PostgresConnection> connection;
  int asked = 0;
  std::optional<Loan> said;  // Instead of a look.

 private:
  loop::Loop& loop_;
};

class ServiceConnectionTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) pool.connection = connect();
  }

  ServiceOptions options() {
    return {.node = "test",
            .database = database(),
            .budget = {.health_interval = 5ms, .monitor_idle = 30ms},
            .seed = 1};
  }
  std::unique_ptr<ServiceConnection> start(ServiceOptions with, bool is_guest = false) {
    auto service = std::make_unique<ServiceConnection>(
        *loop, *resolver, ServiceHost{permits, pool}, std::move(with),
        ServiceCallbacks{
            .discovery =
                [] {
                  return Statement{"select pg_backend_pid()", {}};
                },
            .discovered =
                [this](const Found& found) {
                  EXPECT_EQ(found.rows[0][0], std::to_string(found.pid));
                  pid = found.pid;
                  ++discovered;
                  if (when_discovered) when_discovered();
                  return loop->now() + 5s;
                },
            .measured =
                [this](std::uint32_t count) {
                  backends = count;
                  ++measured;
                },
            .failed = [this](const insight::Failure& told) { failures.push_back(told); },
            .crowded_out = [this] { ++crowded_out; },
            .lost_counted = [this](std::size_t count) { lost_count = count; }});
    service->set_guest(is_guest);
    service->start();
    return service;
  }
  template <class Condition>
  void turn_until(const Condition& condition) {
    while (!condition()) loop->turn();
  }
  // A connection of somebody else, ready for statements.
  std::unique_ptr<PostgresConnection> connect() {
    auto connection = std::make_unique<PostgresConnection>(*loop);
    bool is_ready = false;
    connection->connect(
        config::make_connection_parameters(database(), "stranger", {{"127.0.0.1"}}).value(),
        [&](const auto& failure) { is_ready = !failure; });
    turn_until([&] { return is_ready; });
    return connection;
  }

  CountedPermits permits{1};
  FakePool pool{*loop};
  std::unique_ptr<Resolver> resolver = std::move(Resolver::create(*loop, {})).value();
  int pid = 0;
  int discovered = 0;
  std::function<void()> when_discovered;
  int measured = 0;
  int crowded_out = 0;
  std::uint32_t backends = 0;
  std::size_t lost_count = 0;
  std::vector<insight::Failure> failures;
};

TEST_F(ServiceConnectionTest, discovers_at_the_start_and_measures_for_clients) {
  const auto service = start(options());
  service->handle_clients(Clients::Active);
  turn_until([&] { return measured >= 3; });
  EXPECT_EQ(discovered, 1);
  EXPECT_GE(backends, 1U);
  EXPECT_EQ(permits.free, 0);
  EXPECT_THAT(failures, testing::IsEmpty());
}

TEST_F(ServiceConnectionTest, sleeps_without_clients_and_returns_its_permit) {
  const auto service = start(options());
  turn_until([&] { return permits.free == 0; });
  turn_until([&] { return permits.free == 1; });
  EXPECT_EQ(discovered, 1);
  EXPECT_FALSE(service->is_connected());
  service->handle_clients(Clients::Active);
  turn_until([&] { return measured > 0; });
  EXPECT_TRUE(service->is_connected());
}

TEST_F(ServiceConnectionTest, borrows_while_no_permit_is_free) {
  permits.free = 0;
  const auto service = start(options());
  service->handle_clients(Clients::Active);
  turn_until([&] { return measured >= 2; });
  EXPECT_EQ(pid, pool.connection->pid());
  EXPECT_FALSE(service->is_connected());
  permits.free = 1;
  turn_until([&] { return service->is_connected(); });
  const int asked = pool.asked;
  const int before = measured;
  turn_until([&] { return measured >= before + 2; });
  EXPECT_LE(pool.asked, asked + 1);
  EXPECT_THAT(failures, testing::IsEmpty());
}

TEST_F(ServiceConnectionTest, takes_no_permit_as_a_guest) {
  const auto service = start(options(), true);
  service->handle_clients(Clients::Active);
  turn_until([&] { return measured >= 2 && permits.free == 1; });
  EXPECT_EQ(pid, pool.connection->pid());
  EXPECT_FALSE(service->is_connected());
}

TEST_F(ServiceConnectionTest, asks_again_when_it_was_crowded_out) {
  permits.free = 0;
  pool.said = CrowdedOut{};
  const auto service = start(options());
  turn_until([&] { return crowded_out >= 2; });
  EXPECT_THAT(failures, testing::IsEmpty());
  pool.said.reset();
  turn_until([&] { return discovered == 1; });
}

TEST_F(ServiceConnectionTest, passes_on_why_the_pool_could_not_ask) {
  permits.free = 0;
  pool.said = insight::make_failure(insight::FailureKind::Unreachable, "nobody listens there");
  const auto service = start(options());
  turn_until([&] { return !failures.empty(); });
  EXPECT_EQ(failures[0].kind, insight::FailureKind::Unreachable);
  pool.said.reset();
  turn_until([&] { return discovered == 1; });
}

TEST_F(ServiceConnectionTest, may_end_while_the_pool_still_looks) {
  permits.free = 0;
  pool.said = CrowdedOut{};
  auto service = start(options());
  EXPECT_EQ(pool.asked, 1);
  service.reset();
  loop->turn();
  EXPECT_EQ(crowded_out, 0);
}

TEST_F(ServiceConnectionTest, comes_back_after_it_was_ended) {
  const auto service = start(options());
  service->handle_clients(Clients::Active);
  turn_until([&] { return discovered == 1; });
  const int first = pid;
  const auto killer = connect();
  killer->query({"select pg_terminate_backend($1::int)", {std::to_string(first)}}, [](auto) {});
  turn_until([&] { return discovered == 2; });
  EXPECT_NE(pid, first);
  ASSERT_FALSE(failures.empty());
  EXPECT_EQ(failures[0].kind, insight::FailureKind::Lost);
  turn_until([&] { return permits.free == 0; });
}

TEST_F(ServiceConnectionTest, says_why_it_cannot_connect_and_holds_no_permit_meanwhile) {
  ServiceOptions wrong = options();
  wrong.database.password = base::Secret("not-the-password");
  const auto service = start(wrong);
  turn_until([&] { return !failures.empty(); });
  EXPECT_EQ(failures[0].kind, insight::FailureKind::WrongPassword);
  turn_until([&] { return permits.free == 1; });
}

TEST_F(ServiceConnectionTest, discovers_once_although_its_answer_changes_how_it_runs) {
  const auto service = start(options());
  service->handle_clients(Clients::Active);
  when_discovered = [&] { service->set_guest(false); };
  turn_until([&] { return measured >= 2; });
  EXPECT_EQ(discovered, 1);
}

TEST_F(ServiceConnectionTest, ends_a_lost_backend_and_says_when_it_is_gone) {
  const auto lost = connect();
  bool is_noticed = false;
  lost->when_lost([&](const auto&) { is_noticed = true; });
  const auto service = start(options());
  bool is_gone = false;
  service->find_lost(lost->pid(), [&] { is_gone = true; });
  EXPECT_EQ(lost_count, 1U);
  turn_until([&] { return is_gone; });
  EXPECT_TRUE(is_noticed);
  EXPECT_EQ(lost_count, 0U);
}

TEST_F(ServiceConnectionTest, knows_that_a_pid_the_server_does_not_have_is_gone) {
  const auto service = start(options());
  bool is_gone = false;
  service->find_lost(999'999'999, [&] { is_gone = true; });
  turn_until([&] { return is_gone; });
  EXPECT_THAT(failures, testing::IsEmpty());
}

}  // namespace
}  // namespace pgweir::control

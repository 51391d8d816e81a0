#include "control/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <utility>

#include "control/events.h"
#include "control/postgres_test.h"
#include "obs/captured_log.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EndlessPermits : public PermitSource {
 public:
  bool try_take() override {
    ++taken;
    return true;
  }
  void give_back() override { --taken; }

  std::atomic<int> taken{0};
};

class EmptyPools : public Borrow {
 public:
  void query(const Statement&, std::function<void(const Loan&)>) override {}
};

class ControlTest : public PostgresTest {
 protected:
  NodeOptions node(proxy::DatabaseOptions database) {
    return {.name = "test",
            .database = std::move(database),
            .budget = {},
            .permits = &permits,
            .borrow = &pools,
            .own_pids = [] { return std::vector<std::int32_t>(); },
            // A slow machine may see others' logins come and go, and find them again.
            .limits_changed =
                [this](const auto& limits) {
                  if (!std::exchange(has_limits, true)) limits_found.set_value(limits);
                }};
  }
  // Waits on the control thread's own turns until the snapshot is as wanted.
  template <class Condition>
  std::shared_ptr<const ControlSnapshot> await(const Condition& condition) {
    while (true) {
      auto snapshot = control->snapshot();
      if (condition(snapshot->nodes.at(0))) return snapshot;
      std::promise<void> turned;
      control->post([&] { turned.set_value(); });
      turned.get_future().wait();
    }
  }

  EndlessPermits permits;
  EmptyPools pools;
  bool has_limits = false;
  std::promise<budget::Limits> limits_found;  // The first.
  obs::CapturedLog captured;
  std::unique_ptr<Control> control = std::move(Control::create({}, captured)).value();
};

TEST_F(ControlTest, publishes_what_the_server_can_give_and_how_it_is) {
  control->add_node(node(database()));
  EXPECT_FALSE(control->snapshot()->nodes.at(0).is_answering);
  control->start();
  EXPECT_EQ(limits_found.get_future().get().server, 16U);
  const auto snapshot = await([](const NodeSnapshot& node) { return node.is_answering; });
  const NodeSnapshot& found = snapshot->nodes[0];
  EXPECT_EQ(found.limit, 16U);
  EXPECT_EQ(found.facts->max_connections, 20);
  EXPECT_EQ(found.client_backends, 1U);
  EXPECT_EQ(found.reason, "");
  control->stop();
  EXPECT_EQ(permits.taken, 0);
  EXPECT_EQ(captured.count(kNodeAnswers), 1U);
  EXPECT_EQ(captured.count(kLimitChanged, "server"), 1U);
}

TEST_F(ControlTest, says_why_a_server_does_not_answer) {
  proxy::DatabaseOptions wrong = database();
  wrong.password = base::Secret("not-the-password");
  control->add_node(node(wrong));
  control->start();
  const auto snapshot = await(
      [](const NodeSnapshot& node) { return node.reason.find("password") != node.reason.npos; });
  EXPECT_FALSE(snapshot->nodes[0].is_answering);
  EXPECT_THAT(snapshot->nodes[0].reason, HasSubstr("check user and password"));
  control->stop();
  EXPECT_EQ(captured.count(kNodeFailed, "wrong_password"), 1U);
}

TEST_F(ControlTest, counts_again_while_there_are_clients) {
  const NodeIndex index = control->add_node(node(database()));
  control->start();
  const auto first = await([](const NodeSnapshot& node) { return node.is_answering; });
  control->note_clients(index, Clients::Active);
  const base::Instant before = first->nodes[0].counted;
  const auto second = await([&](const NodeSnapshot& node) { return node.counted > before; });
  EXPECT_GE(second->nodes[0].counted - before, 900ms);
  EXPECT_EQ(first->nodes[0].next_count_due, base::kNever);
  EXPECT_EQ(second->nodes[0].next_count_due - second->nodes[0].counted, 2s);
  control->note_clients(index, Clients::None);
  await([](const NodeSnapshot& node) { return node.next_count_due == base::kNever; });
}

TEST_F(ControlTest, drops_what_is_told_after_its_end) {
  const NodeIndex index = control->add_node(node(database()));
  control->start();
  control->stop();
  control->note_clients(index, Clients::Active);
  control->note_refused(index);
}

TEST_F(ControlTest, receives_signals_as_events) {
  block_signals({SIGUSR1});
  std::promise<int> arrived;
  ASSERT_TRUE(control->handle_signals({SIGUSR1}, [&](int number) { arrived.set_value(number); })
                  .has_value());
  control->start();
  kill(getpid(), SIGUSR1);
  EXPECT_EQ(arrived.get_future().get(), SIGUSR1);
}

TEST_F(ControlTest, follows_names) {
  std::promise<Resolver::Addresses> told;
  control->start();
  control->follow_name("192.0.2.1", [&](const auto& addresses) { told.set_value(*addresses); });
  EXPECT_THAT(told.get_future().get(), testing::ElementsAre("192.0.2.1"));
}

}  // namespace
}  // namespace pgweir::control

// Logins to a server that a Unix socket leads to as well: the socket comes first, and whatever goes
// wrong there is tried over TCP before it is called a failure.
// Source of truth: server_login.h, docs/decisions/0012.

#include <gtest/gtest.h>

#include "proxy/events.h"
#include "proxy/login_scene_test.h"
#include "proxy/messages_test.h"

namespace pgweir::proxy {
namespace {

using base::CloseCause;

constexpr const char* kSocket = "/run/postgresql/.s.PGSQL.5432";
constexpr const char* kTcp = "127.0.0.1";

const std::string kOk = say::message('R', say::int32(0));
const std::string kAskForPassword = say::message('R', say::int32(3));

std::string refusal(std::string_view sqlstate) {
  return say::report('E', "FATAL", sqlstate, "so be it");
}

class UnixSocketLoginTest : public testing::Test, public LoginScene {
 protected:
  UnixSocketLoginTest() { tell_of_socket(kSocket); }

  void tell_of_socket(const std::string& path) {
    auto found = std::make_unique<UnixSocketFound>();
    found->address = kTcp;
    found->port = 5432;
    found->path = path;
    deliver(std::move(found));
  }
  void open(SslMode mode = SslMode::Disable) {
    auto plan = std::make_shared<ServerPlan>();
    plan->database.hosts = {{.host = kTcp, .port = 5432, .address = {}}};
    plan->database.tls.mode = mode;
    plan->database.connect_query = connect_query;
    plan->database.auth_allowed.has_cleartext = has_cleartext;
    plan->server_database = plan->user = "app";
    plan->secret = base::Secret("pencil");
    auto order = std::make_unique<OpenServer>();
    order->plan = std::move(plan);
    io.parcels().clear();
    deliver(std::move(order));
    id = io.opened().back();
  }
  void reach() { login.handle_opened(id, now); }
  // The end of the attempt, and what is tried then.
  void end(CloseCause cause = CloseCause::Eof) {
    LoginScene::end(cause);
    id = io.opened().back();
  }
  void let_in() {
    reach();
    say(kOk + say::ready());
  }
  bool is_over_tcp() { return io.called().back() == kTcp; }

  std::string connect_query;
  bool has_cleartext = true;
};

TEST_F(UnixSocketLoginTest, the_socket_comes_first) {
  open();
  EXPECT_EQ(io.called().back(), kSocket);
  let_in();
  const auto* ready = sent<ServerReady>();
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(ready->endpoint.address, kSocket) << "a cancel goes the same way";
  EXPECT_FALSE(ready->is_secured);
}

TEST_F(UnixSocketLoginTest, a_server_that_offers_tls_is_not_asked_for_it_there) {
  open(SslMode::Prefer);
  reach();
  EXPECT_EQ(io.peer(id).sent.find("\x04\xd2\x16\x2f"), std::string::npos);
  say(kOk + say::ready());
  EXPECT_NE(sent<ServerReady>(), nullptr);
}

TEST_F(UnixSocketLoginTest, a_peer_rule_costs_one_attempt_and_one_line) {
  open();
  const base::ConnectionId first = id;
  open();
  const base::ConnectionId second = id;
  for (const base::ConnectionId one : {first, second}) {
    id = one;
    reach();
    say(refusal("28000"));
    end();
    EXPECT_TRUE(is_over_tcp());
    let_in();
  }
  EXPECT_EQ(sent<ServerFailed>(), nullptr);
  EXPECT_EQ(log.count(kUnixSocketGivenUp), 1U);
  EXPECT_TRUE(log.has("sqlstate=28000 server=127.0.0.1 port=5432"));
  open();
  EXPECT_TRUE(is_over_tcp());
  tell_of_socket(kSocket);
  open();
  EXPECT_TRUE(is_over_tcp()) << "for the life of the process";
}

TEST_F(UnixSocketLoginTest, a_socket_that_is_not_there_is_no_failure) {
  open();
  end(CloseCause::ConnectFailed);
  EXPECT_TRUE(is_over_tcp());
  let_in();
  EXPECT_NE(sent<ServerReady>(), nullptr);
  EXPECT_EQ(log.count(kUnixSocketGivenUp), 1U);
}

TEST_F(UnixSocketLoginTest, a_socket_that_hangs_up_is_no_failure) {
  for (const CloseCause cause : {CloseCause::Eof, CloseCause::Reset}) {
    open();
    reach();
    end(cause);
    EXPECT_TRUE(is_over_tcp());
  }
}

TEST_F(UnixSocketLoginTest, a_way_to_log_in_that_is_not_allowed_is_left_in_order_first) {
  has_cleartext = false;
  open();
  reach();
  say(kAskForPassword);
  EXPECT_FALSE(is_over_tcp()) << "its slot is not free before it has ended";
  EXPECT_TRUE(io.peer(id).sent.ends_with(say::terminate()));
  end();
  EXPECT_TRUE(is_over_tcp());
}

TEST_F(UnixSocketLoginTest, a_socket_is_not_blamed_for_what_tcp_says_too) {
  open();
  reach();
  say(refusal("28P01"));
  end();
  reach();
  say(refusal("28P01"));
  end();
  const auto* failed = sent<ServerFailed>();
  ASSERT_NE(failed, nullptr);
  EXPECT_TRUE(failed->is_permanent);
  EXPECT_EQ(log.count(kUnixSocketGivenUp), 0U);
  open();
  EXPECT_FALSE(is_over_tcp());
}

TEST_F(UnixSocketLoginTest, a_server_that_starts_is_asked_over_tcp_and_nothing_follows) {
  open();
  reach();
  say(refusal("57P03"));
  end();
  EXPECT_TRUE(is_over_tcp());
  let_in();
  EXPECT_EQ(log.count(kUnixSocketGivenUp), 0U);
  open();
  EXPECT_FALSE(is_over_tcp());
}

TEST_F(UnixSocketLoginTest, a_full_server_is_not_asked_twice) {
  open();
  reach();
  say(refusal("53300"));
  end();
  EXPECT_FALSE(is_over_tcp());
  ASSERT_NE(sent<ServerFailed>(), nullptr);
}

TEST_F(UnixSocketLoginTest, a_connect_query_that_fails_says_nothing_about_the_socket) {
  connect_query = "set a to 1";
  open();
  let_in();
  end();
  EXPECT_TRUE(is_over_tcp());
  let_in();
  say(say::complete("SET") + say::ready());
  EXPECT_NE(sent<ServerReady>(), nullptr);
  EXPECT_EQ(log.count(kUnixSocketGivenUp), 0U);
}

TEST_F(UnixSocketLoginTest, a_socket_that_was_taken_back_is_left_alone) {
  tell_of_socket("");
  open();
  EXPECT_TRUE(is_over_tcp());
}

}  // namespace
}  // namespace pgweir::proxy

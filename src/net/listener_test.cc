#include "net/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "net/address.h"
#include "net/limits.h"
#include "net/testing.h"

namespace pgweir::net {
namespace {

using testing::connect_peer;
using ::testing::HasSubstr;
using testing::Node;
using testing::turn_until;

TEST(ListenerTest, an_address_in_use_says_what_to_do) {
  const Listener first = Listener::open_tcp("127.0.0.1", 0).value();
  const auto second = Listener::open_tcp("127.0.0.1", first.port());
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().context,
              HasSubstr("cannot listen on " + first.name() + ": address in use"));
  EXPECT_THAT(second.error().context, HasSubstr("--listen"));
}

TEST(ListenerTest, an_address_in_use_is_no_mistake_in_the_configuration) {
  const Listener first = Listener::open_tcp("127.0.0.1", 0).value();
  EXPECT_EQ(Listener::open_tcp("127.0.0.1", first.port()).error().code, base::ErrorCode::System);
}

TEST(ListenerTest, an_abstract_name_is_reached_and_leaves_no_file) {
  const std::string name = "@pgweir-test-" + std::to_string(::getpid());
  Listener listener = Listener::open_unix(name).value();
  const Descriptor peer = connect_peer({.address = name, .host = {}});
  const Accepted accepted = listener.accept();
  EXPECT_EQ(accepted.outcome, Accepted::Outcome::Connection);
  EXPECT_TRUE(accepted.peer.is_unix);
  EXPECT_NE(::access(name.c_str(), F_OK), 0);
  EXPECT_FALSE(Listener::open_unix(name).has_value()) << "somebody listens there";
}

TEST(ListenerTest, names_are_not_addresses) {
  EXPECT_THAT(Listener::open_tcp("localhost", 0).error().context, HasSubstr("not an IP address"));
}

TEST(ListenerTest, ipv6_leaves_ipv4_alone) {
  const Listener v6 = Listener::open_tcp("::1", 0).value();
  EXPECT_THAT(v6.name(), HasSubstr("[::1]:"));
  EXPECT_TRUE(Listener::open_tcp("127.0.0.1", v6.port()).has_value());
}

TEST(ListenerTest, accepted_connections_inherit_the_options) {
  Listener listener = Listener::open_tcp("127.0.0.1", 0).value();
  const Descriptor peer =
      connect_peer({.address = "127.0.0.1", .port = listener.port(), .host = {}});
  const Accepted accepted = listener.accept();
  ASSERT_EQ(accepted.outcome, Accepted::Outcome::Connection);
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t bytes = sizeof(value);
    ::getsockopt(accepted.fd.get(), level, name, &value, &bytes);
    return value;
  };
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
}

TEST(ListenerTest, without_keepalive_nobody_is_probed) {
  ListenOptions options;
  options.socket.has_keepalive = false;
  Listener listener = Listener::open_tcp("127.0.0.1", 0, options).value();
  const Descriptor peer =
      connect_peer({.address = "127.0.0.1", .port = listener.port(), .host = {}});
  const Accepted accepted = listener.accept();
  int value = -1;
  socklen_t bytes = sizeof(value);
  ::getsockopt(accepted.fd.get(), SOL_SOCKET, SO_KEEPALIVE, &value, &bytes);
  EXPECT_EQ(value, 0);
}

class UnixListenerTest : public ::testing::Test {
 protected:
  void SetUp() override { ::unlink(path_.c_str()); }
  bool exists() const { return ::access(path_.c_str(), F_OK) == 0; }
  const std::string path_ = ::testing::TempDir() + "pgweir_listener_test.sock";
};

TEST_F(UnixListenerTest, has_the_mode_asked_for_and_removes_its_file) {
  {
    ListenOptions options;
    options.unix_mode = 0700;
    const Listener listener = Listener::open_unix(path_, options).value();
    struct stat found {};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0700U);
  }
  EXPECT_FALSE(exists());
}

TEST_F(UnixListenerTest, replaces_a_dead_socket_but_not_a_living_one) {
  {
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = make_unix_address(path_);
    ASSERT_EQ(::bind(dead.get(), address->get(), address->bytes), 0);
  }
  ASSERT_TRUE(exists());
  const auto first = Listener::open_unix(path_);
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(Listener::open_unix(path_).error().context, HasSubstr("address in use"));
}

TEST_F(UnixListenerTest, leaves_a_file_that_is_no_socket) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(Listener::open_unix(path_).error().context, HasSubstr("no socket"));
  EXPECT_TRUE(exists());
  ::unlink(path_.c_str());
}

TEST_F(UnixListenerTest, leaves_the_file_of_its_successor) {
  {
    const Listener old = Listener::open_unix(path_).value();
    ::unlink(path_.c_str());
    std::ofstream(path_) << "successor";
  }
  EXPECT_TRUE(exists());
  ::unlink(path_.c_str());
}

TEST(DescriptorLimitTest, clients_without_a_descriptor_are_told_and_the_rest_goes_on) {
  Node node;
  Listener listener = Listener::open_tcp("127.0.0.1", 0).value();
  const base::Endpoint endpoint{.address = "127.0.0.1", .port = listener.port(), .host = {}};
  std::vector<Listener> listeners;
  listeners.push_back(std::move(listener));
  const base::Bytes text = base::as_bytes("too many clients");
  node.reactor.listen(std::move(listeners), base::ByteBuffer(text.begin(), text.end()));
  const Descriptor refused = connect_peer(endpoint);

  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Descriptor probe(::dup(refused.get()));  // The next free number is the first above this.
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(probe.get()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  EXPECT_TRUE(turn_until({&node.reactor}, [&] { return node.reactor.counters().refused == 1; }));
  EXPECT_TRUE(node.told.accepted.empty());
  EXPECT_EQ(raise_descriptor_limit().before, tight.rlim_cur);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);

  std::string answer(100, '\0');
  const ssize_t count = ::recv(refused.get(), answer.data(), answer.size(), 0);
  ASSERT_EQ(count, 16);
  EXPECT_EQ(answer.substr(0, 16), "too many clients");
  const Descriptor next = connect_peer(endpoint);
  EXPECT_TRUE(turn_until({&node.reactor}, [&] { return node.told.accepted.size() == 1; }));
}

}  // namespace
}  // namespace pgweir::net

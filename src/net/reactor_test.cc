#include "net/reactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "net/testing.h"

namespace pgweir::net {
namespace {

using base::as_bytes;
using base::CloseCause;
using base::ConnectionId;
using testing::connect_peer;
using ::testing::HasSubstr;
using testing::listen_on_loopback;
using testing::Node;
using testing::turn_until;

// A reactor that listens and opens one connection to itself.
struct Loop {
  explicit Loop(const ReactorOptions& options = {}) : node(options) {
    endpoint = listen_on_loopback(node);
    here = node.reactor.open(endpoint);
    EXPECT_TRUE(until([&] { return !told().opened.empty() && !told().accepted.empty(); }));
    there = told().accepted.front();
  }
  bool until(const std::function<bool()>& done) { return turn_until({&node.reactor}, done); }
  testing::Recorder& told() { return node.told; }
  Reactor& io() { return node.reactor; }

  Node node;
  base::Endpoint endpoint;
  ConnectionId here{};
  ConnectionId there{};
};

TEST(ReactorTest, carries_bytes_both_ways_in_order) {
  Loop loop;
  EXPECT_EQ(loop.io().try_send(loop.here, as_bytes("head "), as_bytes("tail")), 9U);
  EXPECT_EQ(loop.io().try_send(loop.there, as_bytes("answer")), 6U);
  EXPECT_TRUE(loop.until([&] {
    return loop.told().bytes[loop.there] == "head tail" && loop.told().bytes[loop.here] == "answer";
  }));
  EXPECT_TRUE(loop.told().peers.front().is_loopback);
  EXPECT_THAT(loop.told().peers.front().text, HasSubstr("127.0.0.1:"));
}

TEST(ReactorTest, tells_an_orderly_end_after_all_bytes) {
  Loop loop;
  loop.io().try_send(loop.here, as_bytes("last words"));
  loop.io().close(loop.here);
  ASSERT_TRUE(loop.until([&] { return loop.told().ended.contains(loop.there); }));
  EXPECT_EQ(loop.told().ended.at(loop.there).cause, CloseCause::Eof);
  EXPECT_EQ(loop.told().bytes[loop.there], "last words");
  EXPECT_FALSE(loop.told().ended.contains(loop.here)) << "a close of our own is not told";
}

TEST(ReactorTest, refused_connect_says_so) {
  base::Endpoint nobody;
  {
    Listener gone = Listener::open_tcp("127.0.0.1", 0).value();
    nobody = {.address = "127.0.0.1", .port = gone.port(), .host = {}};
  }
  Node node;
  const ConnectionId id = node.reactor.open(nobody);
  EXPECT_TRUE(node.told.ended.empty()) << "nothing is told from inside open()";
  ASSERT_TRUE(turn_until({&node.reactor}, [&] { return node.told.ended.contains(id); }));
  EXPECT_EQ(node.told.ended.at(id).cause, CloseCause::ConnectFailed);
  EXPECT_EQ(node.told.ended.at(id).detail, "connection refused");
}

}  // namespace
}  // namespace pgweir::net

// The resolver against a name server of the test's own, on the same loop: nothing here waits for
// the world, and a resolver that blocked would never be answered.
#include "control/resolver.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/bytes.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Answers A and AAAA questions (RFC 1035) from a table; a name that is not in it does not exist.
class NameServer {
 public:
  explicit NameServer(loop::Loop& loop) : loop_(loop), socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    loop_.watch(socket_, {.read = true}, [this](loop::Interest) { answer(); });
  }
  ~NameServer() {
    loop_.forget(socket_);
    close(socket_);
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  std::map<std::string, std::vector<std::string>> names;  // IPv4 addresses.
  std::uint32_t ttl_seconds = 60;
  bool is_silent = false;
  int question_count = 0;  // Questions for A records.

 private:
  void answer() {
    std::array<std::byte, 512> packet{};
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(socket_, packet.data(), packet.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 12) return;
    base::ByteReader question(base::Bytes(packet).first(static_cast<std::size_t>(size)));
    const std::uint16_t id = question.u16();
    question.take(10);
    const base::Bytes rest = question.rest();
    std::string name;
    for (std::uint8_t length = question.u8(); length != 0; length = question.u8())
      name +=
          std::string(name.empty() ? "" : ".") + std::string(base::as_text(question.take(length)));
    const std::uint16_t type = question.u16();
    question.u16();
    const std::size_t asked_bytes = rest.size() - question.rest().size();
    question_count += type == 1 ? 1 : 0;
    if (is_silent) return;

    const auto found = names.find(name);
    const bool has_answer = found != names.end() && type == 1;
    base::ByteBuffer reply;
    base::ByteWriter writer(reply);
    writer.u16(id);
    writer.u16(found == names.end() ? 0x8183 : 0x8180);  // NXDOMAIN or no error.
    writer.u16(1);
    writer.u16(has_answer ? static_cast<std::uint16_t>(found->second.size()) : 0);
    writer.u32(0);
    writer.bytes(rest.first(asked_bytes));
    if (has_answer)
      for (const std::string& address : found->second) write_address(writer, address);
    sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
  }

  void write_address(base::ByteWriter& writer, const std::string& address) const {
    writer.u16(0xc00c);  // The name of the question.
    writer.u16(1);       // A
    writer.u16(1);       // IN
    writer.u32(ttl_seconds);
    writer.u16(4);
    in_addr parsed{};
    inet_pton(AF_INET, address.c_str(), &parsed);
    writer.u32(ntohl(parsed.s_addr));
  }

  loop::Loop& loop_;
  int socket_;
  std::uint16_t port_ = 0;
};

class ResolverTest : public testing::Test {
 protected:
  ResolverTest() { make({}); }
  void make(ResolverOptions options) {
    options.name_servers = server.address();
    resolver = Resolver::create(*loop, options).value();
  }
  // The answer, once it is there.
  base::Result<Resolver::Addresses> resolve(const std::string& host) {
    std::optional<base::Result<Resolver::Addresses>> answer;
    resolver->resolve(host, [&](const auto& told) { answer = told; });
    while (!answer) loop->turn();
    return *answer;
  }

  std::unique_ptr<loop::Loop> loop = std::move(loop::Loop::create()).value();
  NameServer server{*loop};
  std::unique_ptr<Resolver> resolver;
};

TEST_F(ResolverTest, returns_all_addresses_of_a_name) {
  server.names["db.example"] = {"127.0.0.3", "127.0.0.1", "127.0.0.2"};
  EXPECT_THAT(resolve("db.example").value(), ElementsAre("127.0.0.3", "127.0.0.1", "127.0.0.2"));
}

TEST_F(ResolverTest, does_not_take_a_missing_resolv_conf_for_an_empty_one) {
  const auto made = Resolver::create(*loop, {.resolv_conf = "/nowhere/resolv.conf"});
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().context, HasSubstr("/nowhere/resolv.conf"));
}

TEST_F(ResolverTest, asks_once_while_the_answer_is_fresh) {
  server.names["db.example"] = {"127.0.0.1"};
  (void)resolve("db.example");
  (void)resolve("db.example");
  EXPECT_EQ(server.question_count, 1);
}

TEST_F(ResolverTest, answers_all_who_ask_while_a_question_is_under_way) {
  server.names["db.example"] = {"127.0.0.1"};
  int answered = 0;
  for (int i = 0; i < 3; ++i) resolver->resolve("db.example", [&](const auto&) { ++answered; });
  EXPECT_EQ(answered, 0);
  while (answered < 3) loop->turn();
  EXPECT_EQ(server.question_count, 1);
}

TEST_F(ResolverTest, passes_literals_and_socket_paths_through_at_once) {
  for (const std::string host : {"192.0.2.1", "2001:db8::1", "fe80::1%eth0", "/run/postgresql"})
    EXPECT_THAT(resolve(host).value(), ElementsAre(host));
  EXPECT_EQ(server.question_count, 0);
}

TEST_F(ResolverTest, honours_the_hosts_file) {
  EXPECT_THAT(resolve("localhost").value(), testing::Contains("127.0.0.1"));
  EXPECT_EQ(server.question_count, 0);
}

TEST_F(ResolverTest, names_the_host_that_does_not_exist_and_remembers_it_briefly) {
  const auto first = resolve("nowhere.example");
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(first.error().code, base::ErrorCode::Unreachable);
  EXPECT_THAT(first.error().context, HasSubstr("\"nowhere.example\" does not exist"));
  const int asked = server.question_count;
  EXPECT_FALSE(resolve("nowhere.example").has_value());
  EXPECT_EQ(server.question_count, asked);
}

TEST_F(ResolverTest, tells_followers_of_each_change_and_of_nothing_else) {
  make({.ttl_max = 2ms, .ttl_min = 1ms});
  server.names["db.example"] = {"127.0.0.1", "127.0.0.2"};
  std::vector<Resolver::Addresses> told;
  resolver->follow("db.example", [&](const auto& addresses) { told.push_back(*addresses); });
  while (told.empty()) loop->turn();
  server.names["db.example"] = {"127.0.0.2", "127.0.0.1"};  // Another order is no change.
  const int asked = server.question_count;
  while (server.question_count < asked + 3) loop->turn();
  EXPECT_EQ(told.size(), 1U);
  server.names["db.example"] = {"127.0.0.3"};
  while (told.size() < 2) loop->turn();
  EXPECT_THAT(told.back(), ElementsAre("127.0.0.3"));
}

TEST_F(ResolverTest, tells_followers_why_there_is_no_address_as_long_as_there_was_none) {
  make({.ttl_max = 1ms, .ttl_min = 1ms, .failure_ttl = 1ms});
  std::vector<base::Result<Resolver::Addresses>> told;
  resolver->follow("db.example", [&](const auto& answer) { told.push_back(answer); });
  while (server.question_count < 6) loop->turn();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told.back().error().context, HasSubstr("does not exist"));
  resolver->follow("db.example", [&](const auto& answer) { told.push_back(answer); });
  ASSERT_EQ(told.size(), 2U);
  EXPECT_FALSE(told.back().has_value());
  server.names["db.example"] = {"127.0.0.3"};
  while (told.size() < 4) loop->turn();
  EXPECT_THAT(told.back().value(), ElementsAre("127.0.0.3"));
  server.names.clear();
  const int asked = server.question_count;
  while (server.question_count < asked + 6) loop->turn();
  EXPECT_EQ(told.size(), 4U);
}

TEST_F(ResolverTest, keeps_the_last_addresses_while_name_servers_are_silent) {
  make({.ttl_max = 1ms, .ttl_min = 1ms, .timeout = 5ms, .tries = 1});
  server.names["db.example"] = {"127.0.0.1"};
  (void)resolve("db.example");
  loop->turn(loop->now() + 2ms);
  server.is_silent = true;
  EXPECT_THAT(resolve("db.example").value(), ElementsAre("127.0.0.1"));
  const auto unknown = resolve("other.example");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_THAT(unknown.error().context, HasSubstr("could not be resolved"));
}

TEST_F(ResolverTest, may_go_while_a_question_is_under_way) {
  server.is_silent = true;
  bool told = false;
  resolver->resolve("db.example", [&](const auto&) { told = true; });
  resolver.reset();
  loop->turn(loop->now());
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace pgweir::control

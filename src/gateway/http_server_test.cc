#include "gateway/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/matrix_test.h"
#include "gateway/events.h"
#include "gateway/fake_source_test.h"
#include "obs/captured_log.h"

namespace pgweir::gateway {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGetHealth = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";

// A client that sends bytes as they are and understands just enough of replies to find their end.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{10, 0};  // So that a server that hangs fails the test.
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::connect(socket_, to, sizeof address), 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }

  // One reply, headers and body. has_body: false after HEAD.
  std::string read_reply(bool has_body = true) {
    std::size_t header_end = std::string::npos;
    while ((header_end = received_.find("\r\n\r\n")) == std::string::npos && receive()) {
    }
    if (header_end == std::string::npos) return std::exchange(received_, {});
    const std::size_t length_at = received_.find("Content-Length: ");
    std::size_t size = header_end + 4;
    if (has_body && length_at < header_end) size += std::stoul(received_.substr(length_at + 16));
    while (received_.size() < size && receive()) {
    }
    std::string reply = received_.substr(0, size);
    received_.erase(0, size);
    return reply;
  }

  // What comes until the server closes; fails when it does not.
  std::string read_to_end() {
    while (receive()) {
    }
    EXPECT_TRUE(is_closed_) << "the server kept the connection";
    return std::exchange(received_, {});
  }

 private:
  bool receive() {
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    is_closed_ = count == 0 || (count < 0 && errno == ECONNRESET);
    if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  int socket_;
  bool is_closed_ = false;
  std::string received_;
};

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpLimits limits = {}) {
    config::HttpOptions options;
    options.address = {.host = "127.0.0.1", .port = 0};
    options.hosts = {"pool.example.com"};
    server = std::make_unique<HttpServer>(options, limits, source, log);
    const base::Status started = server->start();
    ASSERT_TRUE(started.has_value()) << started.error().context;
  }

  // One request on a connection of its own.
  std::string ask(std::string_view request, bool has_body = true) {
    RawClient client(server->port());
    client.send(request);
    return client.read_reply(has_body);
  }
  std::string get(std::string_view path) {
    return ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  // A socket is closed a moment before that is reported; the server's thread has done so once it
  // has dealt with a later connection.
  void await_server() { get("/livez"); }

  FakeSource source;
  obs::CapturedLog log;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, answers_each_path) {
  start();
  EXPECT_THAT(get("/api/health"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(get("/api/health"), HasSubstr(R"("activeConnections":5)"));
  EXPECT_THAT(get("/livez"), EndsWith(R"({"status":"ok"})"));
  EXPECT_THAT(get("/readyz"), EndsWith(R"({"status":"ok"})"));
  EXPECT_THAT(get("/metrics"), HasSubstr("pgweir_build_info{version="));
  EXPECT_THAT(get("/"), HasSubstr("<title>pgweir</title>"));
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_EQ(log.count(kHttpAnswered, "200"), 6U);
  EXPECT_EQ(log.count(kHttpAnswered, "404"), 1U);
}

TEST_F(HttpServerTest, bears_headers_that_keep_replies_from_being_misused) {
  start();
  const std::string reply = get("/api/health");
  for (const char* header :
       {"Content-Type: application/json\r\n", "X-Content-Type-Options: nosniff\r\n",
        "Cache-Control: no-store\r\n", "Content-Security-Policy: default-src 'none'",
        "Cross-Origin-Resource-Policy: same-origin\r\n", " GMT\r\n"}) {
    EXPECT_THAT(reply, HasSubstr(header));
  }
}

TEST_F(HttpServerTest, answers_head_with_the_length_and_no_body) {
  start();
  RawClient client(server->port());
  client.send("HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string reply = client.read_reply(false);
  EXPECT_THAT(reply, HasSubstr("Content-Length: 15\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
  client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n")) << "no body lay in between";
}

TEST_F(HttpServerTest, says_which_methods_it_allows) {
  start();
  const std::string reply =
      ask("POST /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(HttpServerTest, refuses_foreign_hosts) {
  start();
  const auto reply_for = [this](std::string_view host) {
    return ask("GET /livez HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
  };
  EXPECT_THAT(reply_for("evil.example"), StartsWith("HTTP/1.1 421 Misdirected Request\r\n"));
  EXPECT_THAT(reply_for("pool.example.com"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply_for("127.0.0.1:" + std::to_string(server->port())),
              StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, refuses_a_request_that_names_two_hosts) {
  start();
  const auto reply = ask("GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(HttpServerTest, answers_http10_and_closes) {
  start();
  RawClient client(server->port());
  client.send("GET /livez HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith(R"({"status":"ok"})"));
}

TEST_F(HttpServerTest, refuses_garbage_in_json_and_closes) {
  start();
  for (const char* garbage :
       {"\x16\x03\x01\x02\x00\x01\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n"}) {
    RawClient client(server->port());
    client.send(garbage);
    client.finish_sending();
    const std::string reply = client.read_to_end();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << garbage;
    EXPECT_THAT(reply, HasSubstr(R"({"error":"bad_request")")) << garbage;
  }
}

TEST_F(HttpServerTest, keeps_a_connection_and_answers_a_pipeline_in_order) {
  start();
  RawClient client(server->port());
  client.send(
      "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(client.read_to_end(), EndsWith(R"({"status":"ok"})"));
}

struct Input {
  std::string_view name;
  std::string bytes;
};
std::string request(std::string_view line, std::string_view headers = "Host: localhost\r\n") {
  return std::string(line) + "\r\n" + std::string(headers) + "\r\n";
}
const std::vector<Input> kInputs{
    {"Get", request("GET / HTTP/1.1")},
    {"Head", request("HEAD / HTTP/1.1")},
    {"Old", request("GET / HTTP/1.0", "")},
    {"Old+", request("GET / HTTP/1.0", "Connection: keep-alive\r\n")},
    {"Last", request("GET / HTTP/1.1", "Host: localhost\r\nConnection: close\r\n")},
    {"NoPath", request("GET /nothing HTTP/1.1")},
    {"Post", request("POST / HTTP/1.1", "Host: localhost\r\nContent-Length: 2\r\n") + "{}"},
    {"NoHost", request("GET / HTTP/1.1", "")},
    {"Other", request("GET / HTTP/1.1", "Host: evil.example\r\n")},
    {"Hosts", request("GET / HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n")},
    {"Garbage", "GET\r\n\r\n"},
    {"Header", request("GET / HTTP/1.1", "X: " + std::string(20'000, 'x') + "\r\n")},
    {"Body", request("POST / HTTP/1.1", "Host: localhost\r\nContent-Length: 65537\r\n") +
                 std::string(65'537, 'x')},
    {"Part", "GET / HTTP/1.1\r\nHost: local"},
    {"End", ""},
};

enum class Stage : std::uint8_t { First, Kept, Pipelined };

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::First: return "First";
    case Stage::Kept: return "Kept";
    case Stage::Pipelined: return "Pipelined";
  }
  return {};
}

// What is answered to the input, and whether the connection goes on.
std::string converse(std::uint16_t port, Stage stage, const Input& input) {
  RawClient client(port);
  const std::string before(stage == Stage::First ? std::string_view() : kGetHealth);
  if (stage == Stage::Pipelined) {
    client.send(before + input.bytes);
  } else {
    client.send(before);
  }
  if (stage != Stage::First) {
    EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 200 "));
  }
  if (stage != Stage::Pipelined) client.send(input.bytes);
  if (input.name == "Part" || input.name == "End") {
    client.finish_sending();
    return client.read_to_end().empty() ? "." : "?";
  }
  const std::string reply = client.read_reply(input.name != "Head");
  client.send(kGetHealth);
  return reply.substr(9, 3) + (client.read_reply().starts_with("HTTP/1.1 200 ") ? "+" : ".");
}

// The status; behind it `+`: the connection goes on, `.`: it ends.
TEST_F(HttpServerTest, every_kind_of_input_at_every_stage_of_a_connection) {
  start();
  base::expect_matrix(R"(
              Get  Head Old  Old+ Last NoPath Post NoHost Other Hosts Garbage Header Body Part End
    First     200+ 200+ 200. 200+ 200. 404+   405+ 400+   421+  400.  400.    431.   413. .    .
    Kept      200+ 200+ 200. 200+ 200. 404+   405+ 400+   421+  400.  400.    431.   413. .    .
    Pipelined 200+ 200+ 200. 200+ 200. 404+   405+ 400+   421+  400.  400.    431.   413. .    .
  )",
                      base::names_of<Stage>(name_of), base::names_of(kInputs),
                      [this](std::size_t stage, std::size_t input) {
                        return converse(server->port(), static_cast<Stage>(stage), kInputs[input]);
                      });
}

TEST_F(HttpServerTest, understands_a_request_cut_at_every_byte) {
  start();
  for (std::size_t cut = 1; cut < kGetHealth.size(); ++cut) {
    RawClient client(server->port());
    client.send(kGetHealth.substr(0, cut));
    client.send(kGetHealth.substr(cut));
    EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n")) << cut;
  }
}

TEST_F(HttpServerTest, cuts_off_a_request_that_does_not_end) {
  start({.request_max = milliseconds(50)});
  RawClient client(server->port());
  client.send("GET /api/health HTTP/1.1\r\nHost: local");
  EXPECT_EQ(client.read_to_end(), "");
  await_server();
  EXPECT_EQ(log.count(kHttpCutOff, "timeout"), 1U);
}

TEST_F(HttpServerTest, cuts_off_a_request_whose_bytes_drip) {
  start({.request_max = milliseconds(50), .header_bytes_max = 1U << 30U});
  RawClient client(server->port());
  client.send("GET /api/health HTTP/1.1\r\nX: ");
  // Every byte comes in time for a clock that starts anew with each; ours does not.
  std::atomic<bool> is_over = false;
  std::thread dripping([&] {
    while (!is_over) client.send("x");
  });
  EXPECT_EQ(client.read_to_end(), "");
  is_over = true;
  dripping.join();
  await_server();
  EXPECT_EQ(log.count(kHttpCutOff, "timeout"), 1U);
}

TEST_F(HttpServerTest, closes_a_connection_that_asks_nothing) {
  start({.request_max = milliseconds(20)});
  RawClient client(server->port());
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(HttpServerTest, closes_a_kept_connection_that_stays_idle) {
  start({.idle_max = milliseconds(20)});
  RawClient client(server->port());
  client.send(kGetHealth);
  EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(HttpServerTest, refuses_a_header_that_is_too_long) {
  start();
  RawClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_EQ(log.count(kHttpCutOff, "header_too_large"), 1U);
}

TEST_F(HttpServerTest, refuses_a_body_that_is_too_long) {
  start();
  for (const std::string_view head :
       {"Content-Length: 65537\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n10001\r\n"}) {
    RawClient client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\n" + std::string(head));
    client.send(std::string(65'537, 'x'));
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  }
  EXPECT_EQ(log.count(kHttpCutOff, "body_too_large"), 2U);
}

TEST_F(HttpServerTest, tells_one_connection_too_many_and_serves_again_afterwards) {
  start({.connection_count_max = 2});
  {
    RawClient first(server->port());
    RawClient second(server->port());
    first.send(kGetHealth);
    second.send(kGetHealth);
    EXPECT_THAT(first.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(second.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n"));

    RawClient third(server->port());
    third.finish_sending();
    EXPECT_THAT(third.read_to_end(), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  }
  std::string reply;
  for (int i = 0; i < 1000 && !reply.starts_with("HTTP/1.1 200"); ++i) reply = get("/livez");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, serves_many_at_once) {
  start();
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([this] {
      RawClient client(server->port());
      for (int asked = 0; asked < 20; ++asked) {
        client.send(kGetHealth);
        EXPECT_THAT(client.read_reply(), StartsWith("HTTP/1.1 200 OK\r\n"));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(log.count(kHttpAnswered, "200"), 160U);
}

TEST_F(HttpServerTest, stops_with_connections_open) {
  start();
  RawClient idle(server->port());
  RawClient halfway(server->port());
  halfway.send("GET / HT");
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
  server->stop();
  server.reset();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(halfway.read_to_end(), "");
}

TEST_F(HttpServerTest, says_which_address_it_cannot_have) {
  start();
  config::HttpOptions taken;
  taken.address = {.host = "127.0.0.1", .port = server->port()};
  HttpServer second(taken, {}, source, log);
  const base::Status status = second.start();
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().context,
              HasSubstr("cannot listen for HTTP on 127.0.0.1:" + std::to_string(server->port())));
  EXPECT_THAT(status.error().context, HasSubstr("Address already in use"));
}

TEST_F(HttpServerTest, listens_on_all_addresses_when_told) {
  config::HttpOptions options;
  options.address = {.host = "*", .port = 0};
  server = std::make_unique<HttpServer>(options, HttpLimits{}, source, log);
  ASSERT_TRUE(server->start().has_value());
  const std::string port = std::to_string(server->port());
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n\r\n"),
              StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, starts_nothing_when_it_is_off) {
  config::HttpOptions options;
  options.address.host.clear();
  HttpServer off(options, {}, source, log);
  EXPECT_TRUE(off.start().has_value());
  EXPECT_EQ(log.count(kHttpListening), 0U);
}

}  // namespace
}  // namespace pgweir::gateway

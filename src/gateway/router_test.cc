#include "gateway/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gateway/fake_source_test.h"

namespace pgweir::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(HostOfTest, drops_the_port_and_the_case) {
  EXPECT_EQ(host_of("LocalHost:6433"), "localhost");
  EXPECT_EQ(host_of("10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(host_of("[::1]:6433"), "::1");
  EXPECT_EQ(host_of("[FE80::1]"), "fe80::1");
  EXPECT_EQ(host_of("localhost:"), "localhost");
}

TEST(HostOfTest, refuses_what_is_malformed) {
  for (const char* header : {"", "[::1", "localhost:80:80", "localhost:x", "[::1]x", "::1"}) {
    EXPECT_EQ(host_of(header), "") << header;
  }
}

TEST(HostRuleTest, knows_localhost_the_listen_address_and_the_configured_hosts) {
  const HostRule rule("db-gate", {"Pool.Example.com"});
  for (const char* host : {"localhost:6433", "127.0.0.1", "[::1]:6433", "db-gate:80",
                           "pool.example.com", "10.1.2.3:6433"}) {
    EXPECT_TRUE(rule.is_allowed(host, "10.1.2.3")) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "10.1.2.4", "", "*"}) {
    EXPECT_FALSE(rule.is_allowed(host, "10.1.2.3")) << host;
  }
}

class RouterTest : public testing::Test {
 protected:
  FakeSource source;
  Router router{HostRule("127.0.0.1", {}), source};

  Reply get(std::string_view target) const { return request("GET", target); }
  Reply request(std::string_view method, std::string_view target) const {
    return router.answer({.method = method,
                          .target = target,
                          .host = "localhost:6433",
                          .local_address = "127.0.0.1"},
                         std::chrono::system_clock::time_point{});
  }
};

TEST_F(RouterTest, answers_health_by_what_the_database_said) {
  EXPECT_EQ(get("/api/health").status, 200U);
  EXPECT_THAT(get("/api/health?verbose=1").body, StartsWith(R"({"status":"ok","database":)"));
  source.health_value = {.is_connected = false, .reason = "timed out"};
  EXPECT_EQ(get("/api/health").status, 503U);
  EXPECT_THAT(get("/api/health").body, StartsWith(R"({"status":"error","database":)"));
}

TEST_F(RouterTest, is_live_while_every_reactor_turns) {
  source.reactors_value = {{"data-0", seconds(5)}, {"login-0", milliseconds(1)}};
  EXPECT_EQ(get("/livez").status, 200U);
  source.reactors_value[0].silence = milliseconds(5100);
  const Reply reply = get("/livez");
  EXPECT_EQ(reply.status, 503U);
  EXPECT_THAT(reply.body, HasSubstr("reactor data-0 has not turned its loop for 5.1 s"));
  EXPECT_THAT(reply.body, Not(HasSubstr("login-0")));
}

TEST_F(RouterTest, is_ready_from_listening_until_drain_whatever_the_database_does) {
  source.health_value.is_connected = false;
  EXPECT_EQ(get("/readyz").status, 200U);
  source.readiness_value = Readiness::Starting;
  EXPECT_EQ(get("/readyz").status, 503U);
  source.readiness_value = Readiness::Draining;
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_THAT(get("/readyz").body, HasSubstr("draining"));
}

TEST_F(RouterTest, answers_metrics_as_text) {
  const Reply reply = get("/metrics");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_THAT(std::string(reply.content_type), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(reply.body, HasSubstr("pgweir_build_info"));
  EXPECT_THAT(reply.body, HasSubstr("process_cpu_seconds_total"));
}

TEST_F(RouterTest, shows_a_page_that_escapes_what_a_server_said) {
  EXPECT_THAT(get("/").body, HasSubstr("The database answers."));
  EXPECT_THAT(get("/").body, HasSubstr("7 of 90"));
  source.health_value = {.is_connected = false, .reason = "<script>alert(1)</script> & \"x\""};
  EXPECT_EQ(get("/").status, 200U);
  EXPECT_THAT(get("/").body, Not(HasSubstr("<script>")));
  EXPECT_THAT(get("/").body,
              HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"));
}

TEST_F(RouterTest, answers_other_paths_with_404_in_json) {
  for (const char* path :
       {"/nothing", "/api/health/", "/API/HEALTH", "/%6cive", "//", "/livez/x"}) {
    const Reply reply = get(path);
    EXPECT_EQ(reply.status, 404U) << path;
    EXPECT_EQ(nlohmann::json::parse(reply.body)["error"], "not_found");
  }
}

TEST_F(RouterTest, allows_only_to_read) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "BREW"}) {
    const Reply reply = request(method, "/api/health");
    EXPECT_EQ(reply.status, 405U) << method;
    EXPECT_EQ(reply.allow, "GET, HEAD");
    EXPECT_EQ(nlohmann::json::parse(reply.body)["error"], "method_not_allowed");
  }
  EXPECT_EQ(request("HEAD", "/api/health").status, 200U);
}

TEST_F(RouterTest, refuses_targets_that_are_no_path) {
  for (const char* target : {"*", "http://localhost/livez", "localhost:6433", ""}) {
    EXPECT_EQ(get(target).status, 400U) << target;
  }
}

TEST_F(RouterTest, refuses_foreign_hosts_before_it_looks_at_the_path) {
  const auto ask = [this](std::string_view host, bool is_http10) {
    return router.answer({.method = "GET",
                          .target = "/nothing",
                          .host = host,
                          .local_address = "127.0.0.1",
                          .is_http10 = is_http10},
                         std::chrono::system_clock::time_point{});
  };
  EXPECT_EQ(ask("evil.example", false).status, 421U);
  EXPECT_EQ(ask("evil.example", true).status, 421U);
  EXPECT_THAT(ask("evil.example", false).body, HasSubstr("http_hosts"));
  EXPECT_EQ(ask("", false).status, 400U) << "HTTP/1.1 must name a host";
  EXPECT_EQ(ask("", true).status, 404U) << "HTTP/1.0 need not";
}

}  // namespace
}  // namespace pgweir::gateway

#include "gateway/health_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gateway/fake_source_test.h"

namespace pgweir::gateway {
namespace {

constexpr std::chrono::system_clock::time_point kNow{std::chrono::milliseconds(1'795'341'600'042)};

TEST(HealthJsonTest, begins_with_the_contract_and_adds_the_rest_after_it) {
  EXPECT_EQ(health_json(FakeSource().health(), kNow),
            R"({"status":"ok","database":{"connected":true,"activeConnections":5},)"
            R"("timestamp":"2026-11-22T10:00:00.042Z","ageSeconds":0.412,)"
            R"("pool":{"limit":90,"open":12,"inUse":7,"waiting":2,"idle":3,"connecting":1,)"
            R"("closing":1},"server":{"maxConnections":100,"usable":90}})");
}

TEST(HealthJsonTest, says_why_the_database_is_not_connected) {
  const HealthSnapshot health{.is_connected = false, .reason = "connection refused"};
  EXPECT_EQ(health_json(health, kNow),
            R"({"status":"error","database":{"connected":false,"activeConnections":null,)"
            R"("reason":"connection refused"},"timestamp":"2026-11-22T10:00:00.042Z",)"
            R"("ageSeconds":null,"pool":{"limit":null,"open":0,"inUse":0,"waiting":0,"idle":0,)"
            R"("connecting":0,"closing":0},"server":{"maxConnections":null,"usable":null}})");
}

TEST(HealthJsonTest, survives_a_reason_that_is_not_utf8) {
  const HealthSnapshot health{.is_connected = false, .reason = "bad \xff\" byte"};
  const auto parsed = nlohmann::json::parse(health_json(health, kNow));
  EXPECT_EQ(parsed["database"]["reason"], "bad \xef\xbf\xbd\" byte");
}

TEST(HealthJsonTest, gives_a_status_with_or_without_reason) {
  EXPECT_EQ(status_json({}), R"({"status":"ok"})");
  EXPECT_EQ(status_json("stuck"), R"({"status":"error","reason":"stuck"})");
  EXPECT_EQ(error_json("not_found", "a \"b\""), R"({"error":"not_found","message":"a \"b\""})");
}

}  // namespace
}  // namespace pgweir::gateway

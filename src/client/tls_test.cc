#include <gtest/gtest.h>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;

// A record of TLS may hold more than libpq has room for: what is left of it lies in OpenSSL, and no
// socket becomes readable for its sake.
TEST(TlsTest, results_of_every_size_arrive_over_tls) {
  tests::PrivatePostgres server({.has_tls = true});
  if (!server.is_installed()) GTEST_SKIP() << tests::PrivatePostgres::kNotInstalled;
  ASSERT_TRUE(server.start()) << server.log();
  database_pool db(database_options(server.url()).set("sslmode", "require"));
  auto lease = db.acquire();
  ASSERT_TRUE(
      lease->query("select ssl from pg_stat_ssl where pid = pg_backend_pid()").one().as<bool>());
  for (int size = 1; size < 70'000; size += 1'021) {
    const auto answer = lease->try_query(
        sql("select repeat('x', $1) from generate_series(1, 3)").timeout(20s), size);
    ASSERT_TRUE(answer) << size << ": " << answer.error().text;
    ASSERT_EQ(answer->size(), 3U);
    ASSERT_EQ((*answer)[2][0].bytes().size(), static_cast<std::size_t>(size));
  }
}

}  // namespace
}  // namespace pgweir::client

#include "server/tls.h"

#include <gtest/gtest.h>

namespace pgweir::server {
namespace {

config::Config with_databases(std::vector<proxy::ServerTls> of_databases) {
  config::Config config;
  config.client_tls.mode = proxy::SslMode::Disable;
  for (proxy::ServerTls& tls : of_databases) {
    config.proxy.databases.emplace_back().tls = std::move(tls);
  }
  return config;
}

TEST(DaemonTlsTest, databases_with_equal_options_share_a_context) {
  proxy::ServerTls strict;
  strict.verify = proxy::TlsVerify::ChainAndHost;
  strict.root_cert = "system";
  const DaemonTls made = make_tls(with_databases({{}, strict, {}, strict}), {}).value();
  ASSERT_EQ(made.servers.size(), 4U);
  EXPECT_EQ(made.servers[0], made.servers[2]);
  EXPECT_EQ(made.servers[1], made.servers[3]);
  EXPECT_NE(made.servers[0], made.servers[1]);
}

// What one of them does not check, or lets pass, must not become the other's.
TEST(DaemonTlsTest, databases_that_differ_in_one_option_do_not_share) {
  proxy::ServerTls chain, host, old_version, cipher, password;
  chain.verify = proxy::TlsVerify::Chain;
  host.verify = proxy::TlsVerify::ChainAndHost;
  old_version.version_min = proxy::TlsVersion::V1_1;
  cipher.ciphers = "HIGH";
  password.key_password = base::Secret("another");
  const DaemonTls made =
      make_tls(with_databases({{}, chain, host, old_version, cipher, password}), {}).value();
  for (std::size_t a = 0; a < made.servers.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(made.servers[a], made.servers[b]) << a << b;
  }
}

}  // namespace
}  // namespace pgweir::server

#include "config/loading_test.h"

namespace pgweir::config {
namespace {

using proxy::SslMode;
using proxy::TlsVerify;
using testing::ElementsAre;

struct Rule {
  std::string parameters;
  SslMode mode;
  TlsVerify verify;
  std::string root_cert;
};

class TlsRuleTest : public testing::TestWithParam<Rule> {};

TEST_P(TlsRuleTest, says_what_is_verified) {
  const proxy::ServerTls tls =
      only_database(load_url("postgres://u:p@h/d?" + GetParam().parameters)).tls;
  EXPECT_EQ(tls.mode, GetParam().mode);
  EXPECT_EQ(tls.verify, GetParam().verify);
  EXPECT_EQ(tls.root_cert, GetParam().root_cert);
}

INSTANTIATE_TEST_SUITE_P(
    Libpq, TlsRuleTest,
    testing::Values(
        Rule{"", SslMode::Prefer, TlsVerify::None, ""},
        Rule{"sslmode=disable", SslMode::Disable, TlsVerify::None, ""},
        Rule{"sslmode=require", SslMode::Require, TlsVerify::None, ""},
        Rule{"sslmode=require&sslrootcert=ca", SslMode::Require, TlsVerify::Chain, "ca"},
        Rule{"sslmode=prefer&sslrootcert=ca", SslMode::Prefer, TlsVerify::None, "ca"},
        Rule{"sslmode=verify-ca&sslrootcert=ca", SslMode::VerifyCa, TlsVerify::Chain, "ca"},
        Rule{"sslmode=verify-full", SslMode::VerifyFull, TlsVerify::ChainAndHost, "system"},
        Rule{"sslrootcert=system", SslMode::VerifyFull, TlsVerify::ChainAndHost, "system"}));

INSTANTIATE_TEST_SUITE_P(
    Prisma, TlsRuleTest,
    testing::Values(Rule{"sslcert=ca", SslMode::Prefer, TlsVerify::None, "ca"},
                    Rule{"sslcert=ca&sslmode=require", SslMode::Require, TlsVerify::Chain, "ca"},
                    Rule{"sslaccept=strict", SslMode::Prefer, TlsVerify::ChainAndHost, "system"},
                    Rule{"sslaccept=strict&sslcert=ca&sslmode=require", SslMode::Require,
                         TlsVerify::ChainAndHost, "ca"},
                    Rule{"sslaccept=accept_invalid_certs&sslcert=ca&sslmode=require",
                         SslMode::Require, TlsVerify::None, "ca"},
                    Rule{"sslidentity=me.p12&sslcert=ca&sslmode=require", SslMode::Require,
                         TlsVerify::None, "ca"},
                    // What asks for more than Prisma knows is never weakened.
                    Rule{"sslaccept=accept_invalid_certs&sslmode=verify-full&sslrootcert=ca",
                         SslMode::VerifyFull, TlsVerify::ChainAndHost, "ca"}));

TEST(TlsRulesTest, says_that_a_lone_certificate_is_a_root) {
  EXPECT_THAT(lines(load_url("postgres://u:p@h/d?sslcert=ca").notes),
              ElementsAre("DATABASE_URL: sslcert: is taken as root certificate, as Prisma does, "
                          "since there is no sslkey"));
}

TEST(TlsRulesTest, keeps_the_certificate_of_libpq) {
  const proxy::ServerTls tls =
      only_database(load_url("postgres://u:p@h/d?sslcert=c&sslkey=k&sslpassword=pw")).tls;
  EXPECT_EQ(tls.cert, "c");
  EXPECT_EQ(tls.key, "k");
  EXPECT_EQ(tls.root_cert, "");
  EXPECT_EQ(tls.key_password.reveal(), "pw");
}

TEST(TlsRulesTest, withholds_the_certificate_on_demand) {
  const proxy::ServerTls tls =
      only_database(load_url("postgres://u:p@h/d?sslcert=c&sslkey=k&sslcertmode=disable")).tls;
  EXPECT_EQ(tls.cert, "");
  EXPECT_EQ(tls.key, "");
}

TEST(TlsRulesTest, does_not_let_pgbouncers_require_verify) {
  const auto tls =
      only_database(load_ini("[databases]\nd = host=h\n[pgbouncer]\n"
                             "server_tls_sslmode = require\nserver_tls_ca_file = ca\n"))
          .tls;
  EXPECT_EQ(tls.verify, TlsVerify::None);
  EXPECT_EQ(tls.root_cert, "ca");
}

}  // namespace
}  // namespace pgweir::config

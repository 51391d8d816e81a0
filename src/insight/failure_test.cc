#include "insight/failure.h"

#include <gtest/gtest.h>

namespace pgweir::insight {
namespace {

TEST(FailureTest, takes_the_sqlstate_out_of_a_refused_login) {
  const Failure failure = explain_connect_failure(
      "connection to server at \"192.0.2.7\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"app\"\nLOCATION:  auth_failed, auth.c:326\n");
  EXPECT_EQ(failure.kind, FailureKind::WrongPassword);
  EXPECT_EQ(failure.sqlstate, "28P01");
  EXPECT_EQ(failure.error.code, base::ErrorCode::AuthenticationFailed);
  EXPECT_EQ(failure.error.context,
            "connection to server at \"192.0.2.7\", port 5432 failed: FATAL: password "
            "authentication failed for user \"app\"");
}

TEST(FailureTest, goes_by_the_last_of_several_hosts_and_by_no_word_of_a_language) {
  const Failure failure = explain_connect_failure(
      "connection to server at \"192.0.2.7\", port 5432 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n"
      "connection to server at \"192.0.2.8\", port 5432 failed: DÖDLIGT:  3D000: databasen "
      "\"a:  b\" finns inte\n");
  EXPECT_EQ(failure.kind, FailureKind::NoSuchDatabase);
}

TEST(FailureTest, leaves_out_what_libpq_asks_the_user) {
  const Failure failure = explain_connect_failure(
      "connection to server at \"192.0.2.7\", port 5432 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n");
  EXPECT_EQ(failure.error.context,
            "connection to server at \"192.0.2.7\", port 5432 failed: Connection refused");
}

TEST(FailureTest, sorts_sqlstates_and_the_texts_of_libpq) {
  struct Case {
    std::string_view text;
    FailureKind kind;
  };
  for (const Case& c : {
           Case{"… failed: FATAL:  53300: sorry, too many clients already", FailureKind::TooMany},
           Case{"… failed: FATAL:  57P03: the database system is starting up",
                FailureKind::StartingUp},
           Case{"… failed: FATAL:  28000: no pg_hba.conf entry", FailureKind::NotAllowed},
           Case{"… failed: fe_sendauth: no password supplied", FailureKind::WrongPassword},
           Case{"… failed: Connection refused", FailureKind::Unreachable},
           Case{"… failed: No such file or directory", FailureKind::Unreachable},
           Case{"… failed: Connection timed out", FailureKind::TimedOut},
           Case{"… failed: SSL error: certificate verify failed", FailureKind::TlsVerification},
           Case{"… failed: server certificate for \"a\" does not match host name \"b\"",
                FailureKind::TlsVerification},
           Case{"root certificate file \"/r.pem\" does not exist", FailureKind::TlsVerification},
           Case{"… failed: server does not support SSL, but SSL was required",
                FailureKind::TlsUnavailable},
           Case{"… failed: session is read-only", FailureKind::WrongRole},
           Case{"… failed: server closed the connection unexpectedly", FailureKind::Lost},
           Case{"", FailureKind::Other},
       })
    EXPECT_EQ(explain_connect_failure(c.text).kind, c.kind) << c.text;
}

TEST(FailureTest, tells_a_refused_statement_from_a_lost_connection) {
  EXPECT_EQ(explain_statement_failure("42501", "permission denied").kind, FailureKind::Statement);
  EXPECT_EQ(explain_statement_failure("57P01", "terminating connection").kind, FailureKind::Lost);
  EXPECT_EQ(explain_statement_failure("", "server closed the connection").kind, FailureKind::Lost);
}

TEST(FailureTest, waits_only_where_waiting_can_help) {
  EXPECT_TRUE(is_permanent(FailureKind::WrongPassword));
  EXPECT_TRUE(is_permanent(FailureKind::TlsVerification));
  EXPECT_FALSE(is_permanent(FailureKind::TooMany));
  EXPECT_FALSE(is_permanent(FailureKind::StartingUp));
  EXPECT_FALSE(is_permanent(FailureKind::Unreachable));
}

}  // namespace
}  // namespace pgweir::insight

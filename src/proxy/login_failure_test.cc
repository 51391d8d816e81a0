#include "proxy/login_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

using testing::HasSubstr;

TEST(LoginFailureTest, what_asking_again_cannot_mend_is_permanent) {
  for (const std::string_view sqlstate : {"28P01", "28000", "3D000", "0A000", "08P01", "42704",
                                          "22023", "42501", "42601", "55P02", "55000"}) {
    EXPECT_TRUE(is_permanent(sqlstate)) << sqlstate;
  }
}

TEST(LoginFailureTest, what_is_the_servers_state_may_pass) {
  for (const std::string_view sqlstate : {"57P03", "53300", "53200", "08006", "08001", "57P01",
                                          "57P02", "55006", "58030", "XX000", "40001", ""}) {
    EXPECT_FALSE(is_permanent(sqlstate)) << sqlstate;
  }
}

TEST(LoginFailureTest, a_server_that_answered_was_reached) {
  EXPECT_THAT(outlook_on_login("08006", "app"), HasSubstr("could not be reached"));
  EXPECT_THAT(outlook_on_login("53300", "app"), HasSubstr("did not let \"app\" in"));
}

}  // namespace
}  // namespace pgweir::proxy

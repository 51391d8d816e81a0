#include "proxy/without_literals.h"

#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

std::string plain(std::string_view text) { return without_literals(text, 200); }

TEST(WithoutLiteralsTest, literals_never_show) {
  EXPECT_EQ(plain("select * from t where name = 'Miller' and id = 42"),
            "select * from t where name = ? and id = ?");
  EXPECT_EQ(plain("insert into t values (1.5e3, 'it''s')"),
            "insert into t values (?, ?"
            "?)");
  EXPECT_EQ(plain("select $1, $2"), "select ?, ?");
  EXPECT_EQ(plain("update t set password = 'cut in the mid"), "update t set password = ?");
  EXPECT_EQ(plain("select $tag$secret$tag$"), "select ?");
  EXPECT_EQ(plain("select $$secret$$"), "select ?");
  EXPECT_EQ(plain("select $_tag$secret$_tag$"), "select ?");
  EXPECT_EQ(plain("select $\xc3\xa4$secret$\xc3\xa4$"), "select ?");
  EXPECT_EQ(plain("select E'it\\'s secret'"), "select E?");
  EXPECT_EQ(plain("select \"it's\" = 'secret'"), "select \"it's\" = ?");
  EXPECT_EQ(plain("select \"cut ' in the mid"), "select");
  EXPECT_EQ(plain("select 1 /* card 4711 */"), "select ?");
  EXPECT_EQ(plain("select 1 -- card 4711"), "select ?");
}

TEST(WithoutLiteralsTest, literals_do_not_hide_behind_their_neighbours) {
  EXPECT_EQ(plain("select x\"id\"$$secret$$"), "select x\"id\"?");
  EXPECT_EQ(plain("select a$$secret$$"), "select a$?") << "an identifier, but who can be sure";
  EXPECT_EQ(plain("select 1_234_567"), "select ?");
  EXPECT_EQ(plain("select 0xDEAD_BEEF, 1e+10, .5, 1."), "select ?, ?+?, .?, ?");
  EXPECT_EQ(plain("select 1$tag$secret$tag$"), "select ??");
  EXPECT_EQ(plain("select U&'\\0073ecret' UESCAPE '!'"), "select U&?");
  EXPECT_EQ(plain("select N'secret', B'1010', X'1F'"), "select N?, B?, X?");
  EXPECT_EQ(plain("select 'a'\n'secret'"), "select ? ?");
  EXPECT_EQ(plain("select 'it''s', 'sec\\ret'"), "select ??, ?");
}

TEST(WithoutLiteralsTest, words_that_set_takes_for_values_are_literals) {
  EXPECT_EQ(plain("set app.token = secret"), "set app.token = ?");
  EXPECT_EQ(plain("SET LOCAL app.token TO secret, more"), "SET LOCAL app.token TO ?");
  EXPECT_EQ(plain("set app.token=\"secret\""), "set app.token= ?");
  EXPECT_EQ(plain("begin; set app.token to secret"), "begin; set app.token to ?");
  EXPECT_EQ(plain("update t set a = b"), "update t set a = b");
  EXPECT_EQ(plain("set \"app.token\" to secret"), "set \" ?");
}

TEST(WithoutLiteralsTest, the_next_message_is_not_part_of_the_text) {
  EXPECT_EQ(plain(std::string_view("select a\0B...secret", 20)), "select a");
}

TEST(WithoutLiteralsTest, names_and_shape_stay) {
  EXPECT_EQ(plain("select  a1,\n\t t2.b\nfrom t2"), "select a1, t2.b from t2");
}

TEST(WithoutLiteralsTest, a_text_is_cut_to_its_limit) {
  EXPECT_LE(without_literals(std::string(500, 'x'), 60).size(), 60U);
  EXPECT_EQ(without_literals("select \"" + std::string(500, 'x') + "\"", 60).size(), 60U);
}

}  // namespace
}  // namespace pgweir::proxy

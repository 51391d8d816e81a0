#include "session/client_encoding.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

TEST(ClientEncodingTest, most_encodings_can_be_read_byte_by_byte) {
  for (const std::string_view name : {"UTF8", "LATIN1", "WIN1252", "EUC_JP", "SQL_ASCII", ""}) {
    EXPECT_TRUE(is_ascii_superset(name)) << name;
  }
}

TEST(ClientEncodingTest, those_with_ascii_inside_characters_cannot) {
  for (const std::string_view name :
       {"SJIS", "shift_jis", "Shift_JIS_2004", "BIG5", "gbk", "UHC", "GB18030", "johab"}) {
    EXPECT_FALSE(is_ascii_superset(name)) << name;
  }
}

}  // namespace
}  // namespace pgweir::session

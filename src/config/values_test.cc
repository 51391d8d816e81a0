#include <gtest/gtest.h>

#include "config/codec.h"
#include "config/duration.h"
#include "config/nearest_name.h"
#include "config/size.h"

namespace pgweir::config {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, reads_every_suffix) {
  EXPECT_EQ(parse_duration("250us", Unit::None), 250us);
  EXPECT_EQ(parse_duration("500ms", Unit::None), 500ms);
  EXPECT_EQ(parse_duration("10s", Unit::None), 10s);
  EXPECT_EQ(parse_duration("1.5min", Unit::None), 90s);
  EXPECT_EQ(parse_duration("2 h", Unit::None), 2h);
  EXPECT_EQ(parse_duration("1d", Unit::None), 24h);
}

TEST(DurationTest, gives_a_bare_number_the_unit_of_its_setting) {
  EXPECT_EQ(parse_duration("10", Unit::Seconds), 10s);
  EXPECT_EQ(parse_duration("0.5", Unit::Seconds), 500ms);
  EXPECT_EQ(parse_duration("10", Unit::Milliseconds), 10ms);
  EXPECT_EQ(parse_duration("10", Unit::None), std::nullopt);
  EXPECT_EQ(parse_duration("0", Unit::None), 0s);
}

TEST(DurationTest, refuses_what_is_none) {
  for (const std::string_view text : {"", "s", "-1s", "+1s", "1m", "1e3s", "inf", "nan", "1..5s",
                                      ".", "10 s s", "101000d", "999999999999999999999999d"}) {
    EXPECT_EQ(parse_duration(text, Unit::Seconds), std::nullopt) << text;
  }
}

TEST(DurationTest, renders_what_it_reads_back) {
  EXPECT_EQ(render_duration(0s), "0");
  EXPECT_EQ(render_duration(90s), "90s");
  EXPECT_EQ(render_duration(10min), "10min");
  EXPECT_EQ(render_duration(1500ms), "1500ms");
  EXPECT_EQ(render_duration(48h), "2d");
  EXPECT_EQ(render_duration(7us), "7us");
}

TEST(SizeTest, counts_in_1024s) {
  EXPECT_EQ(parse_size("65536"), 65536U);
  EXPECT_EQ(parse_size("64kB"), 65536U);
  EXPECT_EQ(parse_size("1 mb"), 1048576U);
  EXPECT_EQ(parse_size("1.5GB"), 1610612736U);
  EXPECT_EQ(parse_size("12 parsecs"), std::nullopt);
  EXPECT_EQ(parse_size("-1"), std::nullopt);
  EXPECT_EQ(parse_size("9999999GB"), std::nullopt);
  EXPECT_EQ(render_size(1048576), "1MB");
  EXPECT_EQ(render_size(1000), "1000");
  EXPECT_EQ(render_size(0), "0");
}

TEST(NearestNameTest, finds_what_was_meant) {
  constexpr std::array<std::string_view, 4> kNames{"pool_mode", "pool_timeout", "sslmode", "host"};
  EXPECT_EQ(nearest_name("pool_mod", kNames), "pool_mode");
  EXPECT_EQ(nearest_name("POOL_TIMEOUT", kNames), "pool_timeout");
  EXPECT_EQ(nearest_name("slsmode", kNames), "sslmode");
  EXPECT_EQ(nearest_name("hots", kNames), "host");
  EXPECT_EQ(nearest_name("timezone", kNames), "");
  EXPECT_EQ(nearest_name(std::string(5000, 'x'), kNames), "");
}

TEST(NearestNameTest, counts_edits) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("same", "SAME"), 0U);
}

TEST(CodecTest, takes_booleans_as_postgres_and_pgbouncer_write_them) {
  for (const std::string_view text : {"1", "true", "ON", "yes"}) {
    bool value = false;
    EXPECT_FALSE(Codec<bool>::parse({.text = text}, value));
    EXPECT_TRUE(value) << text;
  }
  bool value = true;
  EXPECT_FALSE(Codec<bool>::parse({.text = "off"}, value));
  EXPECT_FALSE(value);
  EXPECT_EQ(Codec<bool>::parse({.text = "maybe"}, value), "must be true or false, not 'maybe'");
}

TEST(CodecTest, shows_no_parameters_behind_a_wrong_separator) {
  proxy::SslMode mode{};
  for (const std::string_view text : {"require;password=s3cret", "require?password=s3cret"}) {
    const auto complaint = Codec<proxy::SslMode>::parse({.text = text}, mode);
    ASSERT_TRUE(complaint);
    EXPECT_EQ(complaint->find("s3cret"), std::string::npos) << *complaint;
  }
  const std::string_view text = "require\x1b[2J;password=s3cret";
  const auto complaint = Codec<proxy::SslMode>::parse({.text = text}, mode);
  EXPECT_EQ(complaint->rfind("'require?[2J;…' is none of", 0), 0U) << *complaint;
}

TEST(CodecTest, names_the_choices_of_an_enum_once) {
  proxy::SslMode mode{};
  EXPECT_EQ(Codec<proxy::SslMode>::parse({.text = "verify_full"}, mode),
            "'verify_full' is none of disable, allow, prefer, require, verify-ca, verify-full; did "
            "you mean verify-full?");
  EXPECT_FALSE(Codec<proxy::SslMode>::parse({.text = "no-verify"}, mode));
  EXPECT_EQ(mode, proxy::SslMode::Require);
}

TEST(CodecTest, keeps_control_characters_out_of_complaints) {
  std::uint32_t count = 0;
  EXPECT_EQ(Codec<std::uint32_t>::parse({.text = "1\n\x1b[2J"}, count),
            "must be a whole number from 0, not '1??[2J'");
}

TEST(CodecTest, reads_http_addresses) {
  HttpAddress address;
  EXPECT_FALSE(Codec<HttpAddress>::parse({.text = "[::1]:80"}, address));
  EXPECT_EQ(address, (HttpAddress{"::1", 80}));
  EXPECT_EQ(Codec<HttpAddress>::render(address), "[::1]:80");
  EXPECT_FALSE(Codec<HttpAddress>::parse({.text = ":8080"}, address));
  EXPECT_EQ(address, (HttpAddress{"*", 8080}));
  EXPECT_FALSE(Codec<HttpAddress>::parse({.text = "off"}, address));
  EXPECT_TRUE(address.is_off());
  for (const std::string_view text : {"8080", "::1:80", "localhost:", "localhost:0", "a:70000"}) {
    EXPECT_TRUE(Codec<HttpAddress>::parse({.text = text}, address)) << text;
  }
}

TEST(CodecTest, reads_required_authentication_as_libpq) {
  proxy::ServerAuth auth;
  EXPECT_FALSE(Codec<proxy::ServerAuth>::parse({.text = "scram-sha-256,gss"}, auth));
  EXPECT_EQ(auth, (proxy::ServerAuth{false, false, true, false}));
  EXPECT_FALSE(Codec<proxy::ServerAuth>::parse({.text = "!password, !md5"}, auth));
  EXPECT_EQ(auth, (proxy::ServerAuth{false, false, true, true}));
  EXPECT_EQ(Codec<proxy::ServerAuth>::parse({.text = "!password,md5"}, auth),
            "mixes methods with and without '!'");
  EXPECT_EQ(Codec<proxy::ServerAuth>::parse({.text = "scram"}, auth),
            "'scram' is none of password, md5, scram-sha-256, none");
}

TEST(CodecTest, reads_file_modes_in_octal) {
  std::uint32_t mode = 0;
  EXPECT_FALSE(FileModeCodec::parse({.text = "0770"}, mode));
  EXPECT_EQ(mode, 0770U);
  EXPECT_EQ(FileModeCodec::render(mode), "0770");
  EXPECT_TRUE(FileModeCodec::parse({.text = "888"}, mode));
  EXPECT_TRUE(FileModeCodec::parse({.text = "7777"}, mode));
}

}  // namespace
}  // namespace pgweir::config

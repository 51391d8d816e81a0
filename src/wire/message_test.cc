// One table for what holds for every message with a fixed form: it survives the trip, and is
// refused when it is cut at any byte or goes on after its end. What is particular to a message
// follows below the table.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>

#include "wire/authentication.h"
#include "wire/frame.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/rows.h"

namespace pgweir::wire {
namespace {

using base::Bytes;
using Encode = std::function<void(base::ByteBuffer&)>;
// Parses a body and describes it, or says "refused".
using Describe = std::function<std::string(Bytes)>;

template <class T, class F>
std::string described(const base::Result<T>& result, F text) {
  return result.has_value() ? std::string(text(*result)) : std::string("refused");
}

struct Case {
  std::string_view name;
  char type;
  Encode encode;
  Describe describe;
  std::string expected;
};

constexpr std::array<std::byte, 4> kSalt{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{255}};
constexpr std::array<std::string_view, 2> kMechanisms{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};

std::string describe_authentication(Bytes body) {
  struct Visitor {
    std::string operator()(const AuthenticationOk&) const { return "ok"; }
    std::string operator()(const CleartextPasswordRequest&) const { return "cleartext"; }
    std::string operator()(const Md5PasswordRequest& r) const {
      return "md5 " + std::to_string(std::to_integer<int>(r.salt[3]));
    }
    std::string operator()(const SaslRequest& r) const {
      std::string text = "sasl";
      for (const auto mechanism : r.mechanisms) text.append(" ").append(mechanism);
      return text;
    }
    std::string operator()(const SaslContinue& r) const {
      return "continue " + std::string(base::as_text(r.data));
    }
    std::string operator()(const SaslFinal& r) const {
      return "final " + std::string(base::as_text(r.data));
    }
    std::string operator()(const UnsupportedRequest& r) const {
      return "unsupported " + std::to_string(r.code);
    }
  };
  return described(parse_authentication(body),
                   [](const auto& r) { return std::visit(Visitor{}, r); });
}

std::string describe_target(Bytes body) {
  return described(parse_target(body),
                   [](const Target& t) { return t.kind + std::string(" ") + std::string(t.name); });
}

std::string describe_initial_response(Bytes body) {
  return described(parse_sasl_initial_response(body), [](const SaslInitialResponse& r) {
    std::string text(r.mechanism);
    return r.data.has_value() ? text.append(" ").append(base::as_text(*r.data)) : text;
  });
}

std::string describe_row(Bytes body) {
  return described(parse_data_row(body), [](const Row& row) {
    std::string text;
    for (const auto& value : row) text.append("|").append(value.value_or("NULL"));
    return text;
  });
}

std::string describe_text(const base::Result<std::string_view>& text) {
  return described(text, [](std::string_view t) { return t; });
}

const std::array kCases{
    Case{"query", 'Q', [](auto& out) { encode_query(out, "select 1"); },
         [](Bytes b) { return describe_text(parse_query(b)); }, "select 1"},
    Case{"parse", 'P',
         [](auto& out) {
           base::ByteBuffer types;
           base::ByteWriter writer(types);
           writer.u16(1);
           writer.u32(23);
           encode_parse(out, "s1", "select $1", types);
         },
         [](Bytes b) {
           return described(parse_parse(b), [](const ParseMessage& m) {
             return std::string(m.name) + ": " + std::string(m.query) + " " +
                    std::to_string(m.types.size());
           });
         },
         "s1: select $1 6"},
    Case{"describe", 'D', [](auto& out) { encode_describe(out, 'S', "s1"); }, describe_target,
         "S s1"},
    Case{"close", 'C', [](auto& out) { encode_close(out, 'P', ""); }, describe_target, "P "},
    Case{"execute", 'E', [](auto& out) { encode_execute(out, "p", 50); },
         [](Bytes b) {
           return described(parse_execute(b), [](const ExecuteMessage& m) {
             return std::string(m.portal) + " " + std::to_string(m.row_limit);
           });
         },
         "p 50"},
    Case{"authentication_ok", 'R', encode_authentication_ok, describe_authentication, "ok"},
    Case{"cleartext_request", 'R', encode_cleartext_password_request, describe_authentication,
         "cleartext"},
    Case{"md5_request", 'R', [](auto& out) { encode_md5_password_request(out, kSalt); },
         describe_authentication, "md5 255"},
    Case{"sasl_request", 'R', [](auto& out) { encode_sasl_request(out, kMechanisms); },
         describe_authentication, "sasl SCRAM-SHA-256-PLUS SCRAM-SHA-256"},
    Case{"password", 'p', [](auto& out) { encode_password_message(out, "hunter2"); },
         [](Bytes b) { return describe_text(parse_password_message(b)); }, "hunter2"},
    Case{"sasl_initial_response", 'p',
         [](auto& out) {
           encode_sasl_initial_response(out, {"SCRAM-SHA-256", base::as_bytes("n,,")});
         },
         describe_initial_response, "SCRAM-SHA-256 n,,"},
    Case{"sasl_initial_response_without_data", 'p',
         [](auto& out) {
           encode_sasl_initial_response(out, {"SCRAM-SHA-256", std::nullopt});
         },
         describe_initial_response, "SCRAM-SHA-256"},
    Case{"parameter_status", 'S',
         [](auto& out) { encode_parameter_status(out, "TimeZone", "UTC"); },
         [](Bytes b) {
           return described(parse_parameter_status(b), [](const ParameterStatus& s) {
             return std::string(s.name) + "=" + std::string(s.value);
           });
         },
         "TimeZone=UTC"},
    Case{"ready_for_query", 'Z', [](auto& out) { encode_ready_for_query(out, 'T'); },
         [](Bytes b) {
           return described(parse_ready_for_query(b), [](char c) { return std::string(1, c); });
         },
         "T"},
    Case{"command_complete", 'C', [](auto& out) { encode_command_complete(out, "INSERT 0 1"); },
         [](Bytes b) { return describe_text(parse_command_complete(b)); }, "INSERT 0 1"},
    Case{"data_row", 'D',
         [](auto& out) {
           const std::array<std::optional<std::string_view>, 3> values{"a", std::nullopt, ""};
           encode_data_row(out, values);
         },
         describe_row, "|a|NULL|"},
};

class MessageTest : public testing::TestWithParam<Case> {};

TEST_P(MessageTest, survives_the_trip_and_is_refused_in_any_other_length) {
  const Case& test = GetParam();
  base::ByteBuffer bytes;
  test.encode(bytes);
  Bytes input = bytes;
  const auto frame = take_frame(input, kBodyBytesMax, base::Side::Self);
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_TRUE(input.empty());
  EXPECT_EQ((*frame)->type, test.type);
  const Bytes body = (*frame)->body;
  EXPECT_EQ(test.describe(body), test.expected);

  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    // A copy of exactly this size lets the sanitizer see a read past its end.
    const base::ByteBuffer shorter(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_EQ(test.describe(shorter), "refused") << cut;
  }
  base::ByteBuffer longer(body.begin(), body.end());
  longer.push_back(std::byte{'x'});
  EXPECT_EQ(test.describe(longer), "refused");
}

INSTANTIATE_TEST_SUITE_P(AllMessages, MessageTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

Bytes body_of(const base::ByteBuffer& frame) { return Bytes(frame).subspan(kHeaderBytes); }

TEST(QueryTest, a_parse_without_types_is_written_with_a_count_of_zero) {
  base::ByteBuffer out;
  encode_parse(out, "", "select 1", {});
  const auto message = parse_parse(body_of(out));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->types.size(), 2U);
}

TEST(QueryTest, a_target_is_a_statement_or_a_portal) {
  base::ByteBuffer out;
  encode_describe(out, 'X', "s");
  EXPECT_FALSE(parse_target(body_of(out)).has_value());
}

TEST(BindHeadTest, waits_for_both_zeros_and_counts_the_bytes) {
  base::ByteBuffer out;
  encode_bind_head(out, "portal", "statement", 3);
  base::append(out, base::as_bytes("abc"));
  Bytes input = out;
  const auto frame = take_frame(input, 100, base::Side::Client);
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->type, 'B');
  const Bytes body = (*frame)->body;
  const std::size_t head_bytes = 7 + 10;
  for (std::size_t size = 0; size <= body.size(); ++size) {
    const auto head = parse_bind_head(body.first(size));
    ASSERT_TRUE(head.has_value());
    ASSERT_EQ(head->has_value(), size >= head_bytes) << size;
    if (!head->has_value()) continue;
    EXPECT_EQ((*head)->portal, "portal");
    EXPECT_EQ((*head)->statement, "statement");
    EXPECT_EQ((*head)->head_bytes, head_bytes);
  }
  EXPECT_EQ(base::as_text(body.subspan(head_bytes)), "abc");
}

TEST(BindHeadTest, bounds_the_names) {
  std::string names(kBindHeadBytesMax, 'x');
  names[10] = '\0';
  names[kBindHeadBytesMax - 1] = '\0';
  const auto fits = parse_bind_head(base::as_bytes(names));
  ASSERT_TRUE(fits.has_value() && fits->has_value());
  EXPECT_EQ((*fits)->head_bytes, kBindHeadBytesMax);
  names[kBindHeadBytesMax - 1] = 'x';
  names.push_back('\0');
  EXPECT_FALSE(parse_bind_head(base::as_bytes(names)).has_value());
}

TEST(AuthenticationTest, unknown_codes_are_unsupported_and_not_a_violation) {
  base::ByteBuffer body;
  base::ByteWriter(body).u32(7);
  EXPECT_EQ(describe_authentication(body), "unsupported 7");
}

TEST(AuthenticationTest, sasl_data_is_passed_on_as_it_is) {
  base::ByteBuffer out;
  encode_sasl_continue(out, base::as_bytes("r=x"));
  EXPECT_EQ(describe_authentication(body_of(out)), "continue r=x");
  out.clear();
  encode_sasl_final(out, base::as_bytes("v=y"));
  EXPECT_EQ(describe_authentication(body_of(out)), "final v=y");
}

TEST(AuthenticationTest, bounds_the_list_of_mechanisms) {
  const std::vector<std::string_view> mechanisms(33, "M");
  base::ByteBuffer out;
  encode_sasl_request(out, mechanisms);
  EXPECT_EQ(describe_authentication(body_of(out)), "refused");
}

TEST(AuthenticationTest, an_initial_response_whose_length_lies_is_refused) {
  for (const std::uint32_t length : {2U, 4U, 0x7fffffffU, 0x80000000U, 0xfffffffeU}) {
    base::ByteBuffer body;
    base::ByteWriter writer(body);
    writer.c_string("SCRAM-SHA-256");
    writer.u32(length);
    writer.text("n,,");
    EXPECT_EQ(describe_initial_response(body), "refused") << length;
  }
}

TEST(ReplyTest, a_status_is_one_of_three) {
  for (int c = 0; c < 256; ++c) {
    const std::array body{std::byte(c)};
    const bool is_known = c == 'I' || c == 'T' || c == 'E';
    EXPECT_EQ(parse_ready_for_query(body).has_value(), is_known) << c;
  }
}

TEST(ReplyTest, a_backend_key_survives_the_trip_and_has_4_to_256_bytes) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const CancelKey key{.pid = 99, .secret = base::ByteBuffer(size, std::byte{3})};
    base::ByteBuffer out;
    encode_backend_key_data(out, key);
    const auto parsed = parse_backend_key_data(body_of(out));
    ASSERT_EQ(parsed.has_value(), size >= 4 && size <= 256) << size;
    if (!parsed.has_value()) continue;
    EXPECT_EQ(*parsed, key);
  }
}

TEST(RowsTest, a_row_with_lying_lengths_is_refused) {
  for (const std::uint32_t length : {0xfffffffeU, 0x7fffffffU, 5U}) {
    base::ByteBuffer body;
    base::ByteWriter writer(body);
    writer.u16(1);
    writer.u32(length);
    writer.text("abcd");
    EXPECT_EQ(describe_row(body), "refused") << length;
  }
}

TEST(RowsTest, describes_columns_as_text) {
  base::ByteBuffer out;
  const std::array columns{Column{.name = "state"}, Column{"n", 23, 4}};
  encode_row_description(out, columns);
  base::ByteReader reader(body_of(out));
  EXPECT_EQ(reader.u16(), 2U);
  EXPECT_EQ(reader.c_string(), "state");
  reader.take(6);
  EXPECT_EQ(reader.u32(), 25U);
  EXPECT_EQ(reader.u16(), 0xffffU);
  reader.take(6);
  EXPECT_EQ(reader.c_string(), "n");
  reader.take(6);
  EXPECT_EQ(reader.u32(), 23U);
  EXPECT_EQ(reader.u16(), 4U);
  reader.take(6);
  EXPECT_TRUE(reader.is_complete());
}

}  // namespace
}  // namespace pgweir::wire

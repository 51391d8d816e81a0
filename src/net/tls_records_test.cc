// TlsRecords against OpenSSL, whose word on TLS is taken here, and against a peer that knows the
// keys and breaks the rules.
#include "net/tls_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "net/openssl_handles.h"
#include "net/testing.h"
#include "net/tls_stream.h"

namespace pgweir::net {
namespace {

using base::as_bytes;
using base::as_text;
using ::testing::HasSubstr;

// Everything that the stream has to say, by `room` bytes at a time.
std::string read_all(TlsStream& stream, base::Bytes bytes, base::ByteBuffer& out,
                     std::size_t room_bytes = 100'000) {
  std::string plain;
  base::ByteBuffer room(room_bytes);
  do {
    const TlsStream::Opened opened = stream.decrypt(std::exchange(bytes, {}), room, out);
    plain += as_text(base::Bytes(room).first(opened.bytes));
    if (opened.has_failed) return plain + " and " + stream.failure();
    if (opened.has_ended) return plain + " and goodbye";
  } while (stream.has_unread() || stream.is_over());
  return plain;
}

// OpenSSL itself, as one end of a connection.
struct Openssl {
  Openssl(bool is_client, const char* suite)
      : context(SSL_CTX_new(is_client ? TLS_client_method() : TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_set_ciphersuites(context.get(), suite);
    if (!is_client) {
      const std::string directory = testing::Identity::get().directory.path();
      SSL_CTX_use_certificate_file(context.get(), (directory + "/pgweir.crt").c_str(),
                                   SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context.get(), (directory + "/pgweir.key").c_str(),
                                  SSL_FILETYPE_PEM);
    }
    ssl.reset(SSL_new(context.get()), SSL_free);
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    is_client ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
  }
  void hear(base::Bytes bytes) {
    BIO_write(SSL_get_rbio(ssl.get()), bytes.data(), static_cast<int>(bytes.size()));
  }
  base::ByteBuffer say() {
    base::ByteBuffer said(BIO_ctrl_pending(SSL_get_wbio(ssl.get())));
    BIO_read(SSL_get_wbio(ssl.get()), said.data(), static_cast<int>(said.size()));
    return said;
  }
  base::ByteBuffer say(std::string_view text) {
    SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
    return say();
  }
  std::string read() {
    std::string text;
    std::array<char, 1000> part;
    int count = 0;
    while ((count = SSL_read(ssl.get(), part.data(), part.size())) > 0) {
      text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

  std::shared_ptr<SSL_CTX> context;
  std::shared_ptr<SSL> ssl;
};

struct TlsRecordsTest : public ::testing::TestWithParam<const char*> {
  // A handshake, after which our end has settled. What OpenSSL has said behind it is not read yet.
  explicit TlsRecordsTest(bool is_server = true) : peer(is_server, GetParam()) {
    shake_hands(is_server);
  }
  void shake_hands(bool is_server) {
    const testing::Identity& identity = testing::Identity::get();
    stream = is_server ? identity.for_clients->make_stream({})
                       : identity.for_servers->make_stream(identity.connect());
    TlsStream::Outcome outcome = TlsStream::Outcome::Ongoing;
    while (outcome == TlsStream::Outcome::Ongoing) {
      outcome = stream->handshake(peer.say(), out);
      talk();
      SSL_do_handshake(peer.ssl.get());
    }
    EXPECT_EQ(outcome, TlsStream::Outcome::Done) << stream->failure();
    stream->settle();
  }
  void talk() {
    peer.hear(out);
    out.clear();
  }
  std::string read(base::Bytes bytes) { return read_all(*stream, bytes, out); }
  std::string answer(std::string_view text) {
    stream->encrypt(as_bytes(text), {}, out);
    talk();
    return peer.read();
  }

  Openssl peer;
  std::unique_ptr<TlsStream> stream;
  base::ByteBuffer out;
};

TEST_P(TlsRecordsTest, openssl_understands_us_and_we_openssl) {
  EXPECT_EQ(read(peer.say("select 1")), "select 1");
  stream->encrypt(as_bytes("one "), as_bytes("row"), out);
  talk();
  EXPECT_EQ(peer.read(), "one row");
}

TEST_P(TlsRecordsTest, long_texts_pass_both_ways) {
  std::string text;
  while (text.size() < 300'000) text += std::to_string(text.size()) + ",";
  EXPECT_TRUE(read(peer.say(text)) == text);
  EXPECT_TRUE(answer(text) == text);
}

TEST_P(TlsRecordsTest, however_a_text_is_cut_and_read_it_is_the_same) {
  const base::ByteBuffer first = peer.say("select 1");
  base::ByteBuffer said = first;
  base::append(said, peer.say("; select 2"));
  for (std::size_t room = 1; room < 30; room += 4) {
    std::string heard;
    for (const std::byte& byte : said) heard += read_all(*stream, {&byte, 1}, out, room);
    EXPECT_EQ(heard, "select 1; select 2") << room;
    said = peer.say("select 1");
    base::append(said, peer.say("; select 2"));
  }
}

TEST_P(TlsRecordsTest, the_peer_may_change_keys_and_ask_for_new_ones) {
  for (const int kind : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    for (int i = 0; i < 3; ++i) {
      SSL_key_update(peer.ssl.get(), kind);
      EXPECT_EQ(read(peer.say("with a new key")), "with a new key");
      EXPECT_EQ(answer("understood"), "understood");
    }
  }
}

TEST_P(TlsRecordsTest, a_changed_byte_ends_the_connection_and_the_peer_hears_why) {
  base::ByteBuffer said = peer.say("select 1");
  said[said.size() / 2] ^= std::byte{1};
  EXPECT_THAT(read(said), HasSubstr("the client broke the TLS protocol (bad record mac)"));
  EXPECT_THAT(read(peer.say("more")), HasSubstr("bad record mac"));
  EXPECT_FALSE(stream->is_silent());
  talk();
  EXPECT_EQ(peer.read(), "");
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
  ERR_clear_error();
}

TEST_P(TlsRecordsTest, a_record_that_comes_again_is_refused) {
  const base::ByteBuffer said = peer.say("pay");
  EXPECT_EQ(read(said), "pay");
  EXPECT_THAT(read(said), HasSubstr("bad record mac"));
}

TEST_P(TlsRecordsTest, what_was_said_before_a_failure_is_told_before_it) {
  base::ByteBuffer said = peer.say("last ");
  base::append(said, peer.say("words"));
  base::ByteBuffer broken = peer.say("!");
  broken.back() ^= std::byte{1};
  base::append(said, broken);
  EXPECT_EQ(read_all(*stream, said, out, 4),
            "last words and the client broke the TLS protocol (bad record mac)");
}

TEST_P(TlsRecordsTest, whoever_has_begun_a_record_is_not_silent) {
  const base::ByteBuffer said = peer.say("select 1");
  const base::Bytes bytes(said);
  EXPECT_TRUE(stream->is_silent());
  EXPECT_EQ(read(bytes.first(4)), "");
  EXPECT_FALSE(stream->is_silent());
  EXPECT_EQ(read(bytes.subspan(4)), "select 1");
  EXPECT_TRUE(stream->is_silent());
}

TEST_P(TlsRecordsTest, goodbyes_are_understood_and_nothing_counts_behind_them) {
  base::ByteBuffer said = peer.say("last");
  SSL_shutdown(peer.ssl.get());
  base::append(said, peer.say());
  base::append(said, as_bytes("and garbage"));
  EXPECT_EQ(read(said), "last and goodbye");
  EXPECT_EQ(read(as_bytes("more of it")), " and goodbye");
  stream->say_goodbye(out);
  talk();
  EXPECT_EQ(peer.read(), "");
  EXPECT_EQ(SSL_get_shutdown(peer.ssl.get()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

// Not by us: who asks for short records, or speaks TLS 1.2, is left to OpenSSL.
TEST_P(TlsRecordsTest, a_client_with_wishes_of_its_own_is_served) {
  for (const bool is_old : {false, true}) {
    peer = Openssl(true, GetParam());
    if (is_old) {
      SSL_set_max_proto_version(peer.ssl.get(), TLS1_2_VERSION);
    } else {
      SSL_set_tlsext_max_fragment_length(peer.ssl.get(), TLSEXT_max_fragment_length_512);
    }
    SSL_do_handshake(peer.ssl.get());
    shake_hands(true);
    const base::ByteBuffer said = peer.say("select 1");
    EXPECT_EQ(read(base::Bytes(said).first(4)), "");
    EXPECT_FALSE(stream->is_silent());
    EXPECT_EQ(read(base::Bytes(said).subspan(4)), "select 1");
    EXPECT_TRUE(stream->is_silent());
    const std::string rows(5000, 'r');
    EXPECT_EQ(answer(rows), rows);
    base::ByteBuffer last = peer.say("last");
    SSL_shutdown(peer.ssl.get());
    base::append(last, peer.say());
    EXPECT_EQ(read(last), "last and goodbye");
  }
}

struct TlsRecordsToServerTest : public TlsRecordsTest {
  TlsRecordsToServerTest() : TlsRecordsTest(false) {}
};

TEST_P(TlsRecordsToServerTest, session_tickets_are_passed_over) {
  SSL_new_session_ticket(peer.ssl.get());
  SSL_do_handshake(peer.ssl.get());
  EXPECT_EQ(read(peer.say("welcome")), "welcome");
  EXPECT_EQ(answer("select 1"), "select 1");
}

constexpr std::array kSuites{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                             "TLS_CHACHA20_POLY1305_SHA256"};
const auto kNameOfSuite = [](const auto& suite) { return std::string(suite.param); };
INSTANTIATE_TEST_SUITE_P(Suites, TlsRecordsTest, ::testing::ValuesIn(kSuites), kNameOfSuite);
INSTANTIATE_TEST_SUITE_P(Suites, TlsRecordsToServerTest, ::testing::ValuesIn(kSuites),
                         kNameOfSuite);

// A peer that has the keys and seals what it likes.
struct TlsRecordsRulesTest : public ::testing::Test {
  base::ByteBuffer seal(std::string_view content, char type) {
    const std::string inner = std::string(content) + type;
    base::ByteBuffer record;
    base::ByteWriter writer(record);
    writer.u8(23);
    writer.u16(0x0303);
    writer.u16(static_cast<std::uint16_t>(inner.size() + TlsKeys::kTagBytes));
    writer.text(inner);
    record.resize(record.size() + TlsKeys::kTagBytes);
    const std::span<std::byte> all(record);
    peer.seal(all.first(5), all.subspan(5, inner.size()), all.last(TlsKeys::kTagBytes).data());
    return record;
  }
  std::string hear(base::Bytes bytes) {
    const std::size_t count = ours.decrypt(bytes, room, out);
    return ours.has_failed() ? ours.failure()
                             : std::string(as_text(base::Bytes(room).first(count)));
  }
  std::string hear(std::string_view content, char type) { return hear(seal(content, type)); }

  // The first record that we have said, opened.
  std::string take_said(TlsKeys& keys) {
    const std::ptrdiff_t record_bytes = 5 + base::load_u16(out.data() + 3);
    const base::ByteBuffer record(out.begin(), out.begin() + record_bytes);
    out.erase(out.begin(), out.begin() + record_bytes);
    const base::Bytes all(record);
    const base::Bytes text = all.subspan(5, all.size() - 5 - TlsKeys::kTagBytes);
    base::ByteBuffer plain(text.size());
    EXPECT_TRUE(keys.open(all.first(5), text, all.last(TlsKeys::kTagBytes), plain.data()));
    return std::string(as_text(plain));
  }
  std::string take_said() { return take_said(reader); }

  static constexpr char kAlert = 21, kHandshake = 22, kData = 23;
  const base::ByteBuffer secret = base::ByteBuffer(32, std::byte{7});
  TlsKeys peer{0x1301, secret};
  TlsKeys reader{0x1301, secret};  // The peer's, too.
  TlsRecords ours{0x1301, {.read = secret, .write = secret}, {}, false};
  base::ByteBuffer room = base::ByteBuffer(20'000);
  base::ByteBuffer out;
};

const std::string kKeyUpdate("\x18\0\0\1\0", 5);

TEST_F(TlsRecordsRulesTest, padding_is_taken_off) {
  EXPECT_EQ(hear(std::string("text") + kData + std::string(100, '\0'), '\0'), "text");
  EXPECT_EQ(hear("", kData), "");
  EXPECT_EQ(hear("more", kData), "more");
  EXPECT_THAT(hear(std::string(10, '\0'), '\0'), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, nobody_waits_for_a_record_that_is_too_long) {
  EXPECT_THAT(hear(as_bytes(std::string_view("\x17\3\3\xff\xff", 5))), HasSubstr("overflow"));
}

TEST_F(TlsRecordsRulesTest, the_longest_record_is_taken_and_no_longer_one) {
  EXPECT_EQ(hear(std::string(16'384, 'x'), kData).size(), 16'384U);
  EXPECT_THAT(hear(std::string(16'385, 'x'), kData), HasSubstr("overflow"));
}

TEST_F(TlsRecordsRulesTest, a_record_without_text_is_no_record) {
  base::ByteBuffer record(5 + TlsKeys::kTagBytes);
  std::copy_n(as_bytes(std::string_view("\x17\3\3\0\x10", 5)).begin(), 5, record.begin());
  EXPECT_THAT(hear(record), HasSubstr("bad record mac"));
}

TEST_F(TlsRecordsRulesTest, an_alert_says_something) {
  EXPECT_THAT(hear("", kAlert), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, a_message_says_something) {
  EXPECT_THAT(hear("", kHandshake), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, whoever_says_nothing_again_and_again_is_sent_away) {
  for (int i = 0; i < 32; ++i) EXPECT_EQ(hear("", kData), "");
  EXPECT_EQ(hear("text", kData), "text");
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(hear("", kData), "");
    EXPECT_EQ(hear(std::string("\1\x5a", 2), kAlert), "") << "user_canceled";
  }
  EXPECT_THAT(hear("", kData), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, nothing_is_taken_in_the_clear) {
  EXPECT_THAT(hear(as_bytes(std::string_view("\x15\3\3\0\2\1\0", 7))), HasSubstr("unexpected"));
}

TEST_F(TlsRecordsRulesTest, a_message_may_come_in_parts_but_nothing_between_them) {
  EXPECT_EQ(hear(kKeyUpdate.substr(0, 3), kHandshake), "");
  EXPECT_EQ(hear(kKeyUpdate.substr(3), kHandshake), "");
  peer.update();
  EXPECT_EQ(hear("text", kData), "text");
  EXPECT_EQ(hear(kKeyUpdate.substr(0, 3), kHandshake), "");
  EXPECT_THAT(hear("text", kData), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, nothing_may_follow_a_key_update_in_its_record) {
  EXPECT_THAT(hear(kKeyUpdate + kKeyUpdate, kHandshake), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, whoever_asks_for_new_keys_gets_them) {
  EXPECT_EQ(hear(std::string("\x18\0\0\1\1", 5), kHandshake), "");
  EXPECT_EQ(take_said(), kKeyUpdate + kHandshake);
  reader.update();
  ours.encrypt(as_bytes("text"), {}, out);
  EXPECT_EQ(take_said(), std::string("text") + kData);
}

TEST_F(TlsRecordsRulesTest, keys_are_worn_before_they_are_unsafe) {
  constexpr std::uint64_t kNearly = (1U << 24U) - 1;
  TlsRecords old(0x1301, {.read = secret, .write = secret, .written = kNearly}, {}, false);
  TlsKeys old_reader(0x1301, secret, kNearly);
  old.encrypt(as_bytes("last"), {}, out);
  EXPECT_EQ(take_said(old_reader), std::string("last") + kData);
  old.encrypt(as_bytes("first"), {}, out);
  EXPECT_EQ(take_said(old_reader), kKeyUpdate + kHandshake);
  old_reader.update();
  EXPECT_EQ(take_said(old_reader), std::string("first") + kData);
  EXPECT_TRUE(out.empty());
}

TEST_F(TlsRecordsRulesTest, a_key_update_says_yes_or_no) {
  EXPECT_THAT(hear(std::string("\x18\0\0\1\2", 5), kHandshake), HasSubstr("illegal parameter"));
}

TEST_F(TlsRecordsRulesTest, whoever_only_changes_keys_is_sent_away) {
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(hear(kKeyUpdate, kHandshake), "");
    peer.update();
  }
  EXPECT_EQ(hear("text", kData), "text");
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(hear(kKeyUpdate, kHandshake), "");
    peer.update();
  }
  EXPECT_THAT(hear(kKeyUpdate, kHandshake), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, a_client_sends_no_ticket_and_no_hello) {
  EXPECT_THAT(hear(std::string("\x04\0\0\0", 4), kHandshake), HasSubstr("unexpected_message"));
}

TEST_F(TlsRecordsRulesTest, an_alert_is_told_in_plain_words) {
  EXPECT_EQ(hear(std::string("\1\x5a", 2), kAlert), "") << "user_canceled says nothing";
  EXPECT_EQ(hear(std::string("\2\x30", 2), kAlert),
            "the client does not know the authority of our certificate");
}

TEST_F(TlsRecordsRulesTest, after_a_failure_nothing_more_is_said) {
  hear("", 'x');
  EXPECT_FALSE(out.empty());
  out.clear();
  ours.encrypt(as_bytes("text"), {}, out);
  ours.say_goodbye(out);
  EXPECT_THAT(hear("text", kData), HasSubstr("unexpected_message"));
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace pgweir::net

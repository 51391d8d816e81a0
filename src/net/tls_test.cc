#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "net/openssl_handles.h"
#include "net/reactor.h"
#include "net/self_signed.h"
#include "net/testing.h"
#include "net/tls_context.h"

namespace pgweir::net {
namespace {

using base::as_bytes;
using base::CloseCause;
using base::ConnectionId;
using base::TlsRequest;
using testing::connect_peer;
using ::testing::HasSubstr;
using testing::listen_on_loopback;
using testing::Node;
using ::testing::Not;
using testing::Note;
using testing::TemporaryDirectory;
using testing::turn_until;

// Certificate and key in one file, as `openssl pkcs12 -export` makes it.
void write_pkcs12(const CertificateFiles& files, const std::string& path, const char* password) {
  const BioHandle certificate_input(BIO_new_file(files.certificate_file.c_str(), "r"));
  const BioHandle key_input(BIO_new_file(files.key_file.c_str(), "r"));
  const CertificateHandle certificate(
      PEM_read_bio_X509(certificate_input.get(), nullptr, nullptr, nullptr));
  const KeyHandle key(PEM_read_bio_PrivateKey(key_input.get(), nullptr, nullptr, nullptr));
  const Pkcs12Handle bundle(
      PKCS12_create(password, "identity", key.get(), certificate.get(), nullptr, 0, 0, 0, 0, 0));
  const BioHandle output(BIO_new_file(path.c_str(), "wb"));
  EXPECT_EQ(i2d_PKCS12_bio(output.get(), bundle.get()), 1);
}

// A client's reactor and a server's, each with TLS set up by one self-signed certificate.
struct Pair {
  explicit Pair(ClientTlsOptions options = {}, bool server_has_tls = true,
                int server_send_buffer_bytes = 0) {
    files = ensure_self_signed(directory.path()).value();
    if (options.verify != ClientTlsOptions::Verify::Nothing && trusts_it) {
      options.authority_file = files.certificate_file;
    }
    setup = TlsContext::for_servers(options).value();
    if (server_has_tls) server.reactor.set_tls(own_context());
    endpoint = listen_on_loopback(server, server_send_buffer_bytes);
    here = client.reactor.open(endpoint);
    EXPECT_TRUE(
        until([&] { return !client.told.opened.empty() && !server.told.accepted.empty(); }));
    there = server.told.accepted.front();
  }
  std::shared_ptr<const TlsContext> own_context() {
    ServerTlsOptions own;
    own.certificate_file = files.certificate_file;
    own.key_file = files.key_file;
    return TlsContext::for_clients(own).value();
  }
  bool until(const std::function<bool()>& done) {
    return turn_until({&client.reactor, &server.reactor}, done);
  }
  TlsRequest connect_request(const std::string& host, bool is_direct = false) const {
    return {
        .role = TlsRequest::Role::Connect, .setup = setup, .host = host, .is_direct = is_direct};
  }
  // Both sides agree to start TLS, as after an SSLRequest.
  bool secure(const std::string& host = "localhost") {
    server.reactor.start_tls(there, {});
    client.reactor.start_tls(here, connect_request(host));
    return until([&] {
      return client.told.ended.contains(here) ||
             (client.told.secured.contains(here) && server.told.secured.contains(there));
    });
  }

  TemporaryDirectory directory;
  CertificateFiles files;
  bool trusts_it = true;
  std::shared_ptr<const TlsContext> setup;  // With which the client begins a handshake.
  Node client;
  Node server;
  base::Endpoint endpoint;
  ConnectionId here{};
  ConnectionId there{};
};

TEST(TlsTest, carries_bytes_both_ways_and_describes_itself) {
  Pair pair;
  ASSERT_TRUE(pair.secure());
  const base::TlsInfo& seen = pair.client.told.secured.at(pair.here);
  EXPECT_EQ(seen.version, "TLSv1.3");
  EXPECT_EQ(seen.alpn, "postgresql");
  EXPECT_EQ(seen.peer_certificate_hash.size(), 32U);
  EXPECT_EQ(seen.peer_certificate_hash, pair.own_context()->own_certificate_hash());
  EXPECT_EQ(pair.server.told.secured.at(pair.there).own_certificate_hash,
            seen.peer_certificate_hash);
  EXPECT_EQ(pair.client.reactor.try_send(pair.here, as_bytes("que"), as_bytes("stion")), 8U);
  EXPECT_EQ(pair.server.reactor.try_send(pair.there, as_bytes("answer")), 6U);
  EXPECT_TRUE(pair.until([&] {
    return pair.server.told.bytes[pair.there] == "question" &&
           pair.client.told.bytes[pair.here] == "answer";
  }));
}

TEST(TlsTest, bytes_sent_before_the_handshake_was_told_arrive_after_it) {
  Pair pair;
  // Both speak as soon as they are secured. The client is first, before the server has turned: one
  // segment ends the handshake and holds its bytes. The Recorder fails if bytes are told first.
  pair.client.told.on_secured = [&](ConnectionId id) {
    pair.client.reactor.try_send(id, as_bytes("early"));
  };
  pair.server.told.on_secured = [&](ConnectionId id) {
    pair.server.reactor.try_send(id, as_bytes("welcome"));
  };
  ASSERT_TRUE(pair.secure());
  EXPECT_TRUE(pair.until([&] {
    return pair.client.told.bytes[pair.here] == "welcome" &&
           pair.server.told.bytes[pair.there] == "early";
  }));
}

TEST(TlsTest, a_large_transfer_is_complete_although_the_socket_takes_it_in_parts) {
  Pair pair;
  ASSERT_TRUE(pair.secure());
  std::string wanted;
  for (int i = 0; wanted.size() < 8U * 1024 * 1024; ++i) wanted += std::to_string(i) + ",";
  std::size_t sent = 0;
  const auto send_more = [&](ConnectionId id) {
    sent += pair.client.reactor.try_send(id, as_bytes(wanted).subspan(sent));
  };
  pair.client.told.on_writable = send_more;
  send_more(pair.here);
  EXPECT_LT(sent, wanted.size()) << "the test needs a socket that refuses something";
  EXPECT_EQ(pair.client.reactor.try_send(pair.here, as_bytes("x")), 0U);
  ASSERT_TRUE(
      pair.until([&] { return pair.server.told.bytes[pair.there].size() >= wanted.size(); }));
  EXPECT_TRUE(pair.server.told.bytes[pair.there] == wanted);
}

TEST(TlsTest, a_tiny_send_buffer_takes_a_batch_bit_by_bit) {
  Pair pair({}, true, 4096);
  ASSERT_TRUE(pair.secure());
  std::string wanted;
  for (int i = 0; wanted.size() < 512U * 1024; ++i) wanted += std::to_string(i) + ",";
  std::size_t sent = 0;
  pair.server.told.on_writable = [&](ConnectionId id) {
    sent += pair.server.reactor.try_send(id, as_bytes(wanted).subspan(sent));
  };
  pair.server.told.on_writable(pair.there);
  EXPECT_LE(sent, 64U * 1024) << "no more than a batch is encrypted ahead of the socket";
  ASSERT_TRUE(
      pair.until([&] { return pair.client.told.bytes[pair.here].size() >= wanted.size(); }));
  EXPECT_TRUE(pair.client.told.bytes[pair.here] == wanted);
}

TEST(TlsTest, close_delivers_what_the_socket_had_not_taken_yet) {
  Pair pair;
  ASSERT_TRUE(pair.secure());
  const std::string wanted(16U * 1024 * 1024, 'w');
  const std::size_t sent = pair.server.reactor.try_send(pair.there, as_bytes(wanted));
  ASSERT_LT(sent, wanted.size());
  pair.server.reactor.close(pair.there);
  ASSERT_TRUE(pair.until([&] { return pair.client.told.ended.contains(pair.here); }));
  EXPECT_EQ(pair.client.told.ended.at(pair.here).cause, CloseCause::Eof);
  EXPECT_EQ(pair.client.told.bytes[pair.here].size(), sent);
}

// Without its FIN: whoever waits for our goodbye before it hangs up would wait forever.
TEST(TlsTest, a_goodbye_ends_the_connection_and_is_answered) {
  for (const TlsVersion version : {TlsVersion::Tls12, TlsVersion::Tls13}) {
    ClientTlsOptions options;
    options.limits.version_max = version;
    Pair pair(options);
    const base::Endpoint endpoint = pair.endpoint;
    const Descriptor peer = connect_peer(endpoint);
    const auto stream = pair.setup->make_stream(pair.connect_request("localhost", true));
    base::ByteBuffer said;
    const auto talk = [&] {
      send_both(peer.get(), said, {});
      said.clear();
      base::ByteBuffer heard(100'000);
      std::ptrdiff_t count = -EAGAIN;
      EXPECT_TRUE(pair.until([&] { return (count = receive(peer.get(), heard)) != -EAGAIN; }));
      heard.resize(static_cast<std::size_t>(std::max<std::ptrdiff_t>(count, 0)));
      return heard;
    };
    TlsStream::Outcome outcome = stream->handshake({}, said);
    while (outcome == TlsStream::Outcome::Ongoing) outcome = stream->handshake(talk(), said);
    ASSERT_EQ(outcome, TlsStream::Outcome::Done) << stream->failure();
    stream->settle();
    stream->encrypt(as_bytes("last"), {}, said);
    stream->say_goodbye(said);
    const base::ByteBuffer answer = talk();
    std::array<std::byte, 100> room;
    EXPECT_TRUE(stream->decrypt(answer, room, said).has_ended);
    const ConnectionId id = pair.server.told.accepted.back();
    EXPECT_EQ(pair.server.told.bytes[id], "last");
    ASSERT_TRUE(pair.server.told.ended.contains(id));
    EXPECT_EQ(pair.server.told.ended.at(id).cause, CloseCause::Eof);
  }
}

TEST(TlsTest, paused_bytes_wait_for_resume) {
  Pair pair;
  ASSERT_TRUE(pair.secure());
  pair.server.reactor.pause(pair.there);
  pair.client.reactor.try_send(pair.here, as_bytes("later"));
  pair.client.reactor.close(pair.here);
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(pair.until([turns = 0]() mutable { return ++turns > 2; }));
  EXPECT_EQ(pair.server.told.bytes[pair.there], "");
  EXPECT_FALSE(pair.server.told.ended.contains(pair.there));
  pair.server.reactor.resume(pair.there);
  ASSERT_TRUE(pair.until([&] { return pair.server.told.ended.contains(pair.there); }));
  EXPECT_EQ(pair.server.told.bytes[pair.there], "later");
  EXPECT_EQ(pair.server.told.ended.at(pair.there).cause, CloseCause::Eof);
}

TEST(TlsTest, an_unknown_authority_is_named) {
  ClientTlsOptions options;
  options.verify = ClientTlsOptions::Verify::Authority;
  TemporaryDirectory other;
  Pair pair;
  options.authority_file = ensure_self_signed(other.path()).value().certificate_file;
  pair.setup = TlsContext::for_servers(options).value();
  ASSERT_TRUE(pair.secure());
  ASSERT_TRUE(pair.client.told.ended.contains(pair.here));
  EXPECT_EQ(pair.client.told.ended.at(pair.here).cause, CloseCause::TlsFailed);
  EXPECT_THAT(pair.client.told.ended.at(pair.here).detail,
              HasSubstr("the server's certificate is not signed by a known authority (self"));
  ASSERT_TRUE(pair.until([&] { return pair.server.told.ended.contains(pair.there); }));
  EXPECT_EQ(pair.server.told.ended.at(pair.there).detail,
            "the client does not know the authority of our certificate");
}

TEST(TlsTest, verify_full_accepts_the_names_of_the_certificate_and_no_other) {
  ClientTlsOptions options;
  options.verify = ClientTlsOptions::Verify::AuthorityAndHost;
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
    Pair pair(options);
    ASSERT_TRUE(pair.secure(host));
    EXPECT_TRUE(pair.client.told.secured.contains(pair.here)) << host;
  }
  for (const char* host : {"db.example.com", "192.0.2.1", ""}) {
    Pair pair(options);
    ASSERT_TRUE(pair.secure(host));
    ASSERT_TRUE(pair.client.told.ended.contains(pair.here)) << host;
    EXPECT_EQ(pair.client.told.ended.at(pair.here).detail,
              std::string("the server's certificate is valid, but not for \"") + host + "\"");
  }
}

TEST(TlsTest, a_server_without_tls_is_told_in_plain_words) {
  Pair pair;
  pair.client.reactor.start_tls(pair.here, pair.connect_request("localhost"));
  pair.server.reactor.try_send(pair.there, as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  ASSERT_TRUE(pair.until([&] { return pair.client.told.ended.contains(pair.here); }));
  EXPECT_EQ(pair.client.told.ended.at(pair.here).cause, CloseCause::TlsFailed);
  EXPECT_EQ(pair.client.told.ended.at(pair.here).detail, "the server does not speak TLS here");
}

TEST(TlsTest, a_client_that_begins_with_tls_is_served_directly) {
  Pair pair;
  pair.client.reactor.start_tls(pair.here, pair.connect_request("localhost", true));
  ASSERT_TRUE(pair.until([&] {
    return pair.client.told.secured.contains(pair.here) &&
           pair.server.told.secured.contains(pair.there);
  }));
  EXPECT_EQ(pair.server.told.secured.at(pair.there).alpn, "postgresql");
  pair.client.reactor.try_send(pair.here, as_bytes("startup"));
  EXPECT_TRUE(pair.until([&] { return pair.server.told.bytes[pair.there] == "startup"; }));
}

TEST(TlsTest, direct_tls_needs_alpn) {
  const TemporaryDirectory directory;
  const CertificateFiles files = ensure_self_signed(directory.path()).value();
  ServerTlsOptions own;
  own.certificate_file = files.certificate_file;
  own.key_file = files.key_file;
  const auto context = TlsContext::for_clients(own).value();
  const std::shared_ptr<SSL_CTX> old_client(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  for (const bool is_direct : {false, true}) {
    TlsRequest request;
    request.is_direct = is_direct;
    const std::unique_ptr<TlsStream> server = context->make_stream(request);
    const TlsRequest as_client{.role = TlsRequest::Role::Connect, .host = "localhost"};
    TlsStream client(*old_client, as_client, false);
    base::ByteBuffer to_server;
    base::ByteBuffer to_client;
    client.handshake({}, to_server);
    server->handshake(to_server, to_client);
    to_server.clear();
    EXPECT_EQ(client.handshake(to_client, to_server), TlsStream::Outcome::Done);
    const TlsStream::Outcome outcome = server->handshake(to_server, to_client);
    EXPECT_EQ(outcome, is_direct ? TlsStream::Outcome::Failed : TlsStream::Outcome::Done);
    EXPECT_EQ(server->failure(), is_direct ? "the client started TLS directly without the ALPN "
                                             "protocol \"postgresql\""
                                           : "");
  }
}

TEST(TlsTest, direct_tls_is_refused_where_tls_is_off) {
  Pair pair({}, false);
  pair.client.reactor.start_tls(pair.here, pair.connect_request("localhost", true));
  ASSERT_TRUE(pair.until([&] { return pair.server.told.ended.contains(pair.there); }));
  EXPECT_EQ(pair.server.told.ended.at(pair.there).cause, CloseCause::TlsFailed);
  ASSERT_TRUE(pair.until([&] { return pair.client.told.ended.contains(pair.here); }));
}

TEST(TlsTest, only_an_accepted_connections_first_byte_starts_tls) {
  Pair pair;
  pair.client.reactor.try_send(pair.here, as_bytes("a"));
  ASSERT_TRUE(pair.until([&] { return pair.server.told.bytes[pair.there] == "a"; }));
  pair.client.reactor.try_send(pair.here, as_bytes("\x16"));
  EXPECT_TRUE(pair.until([&] { return pair.server.told.bytes[pair.there] == "a\x16"; }));
}

TEST(TlsTest, a_required_client_certificate_yields_its_name) {
  Pair pair;
  ServerTlsOptions strict{.certificate_file = pair.files.certificate_file,
                          .key_file = pair.files.key_file,
                          .client_authority_file = pair.files.certificate_file,
                          .client_certificate = ServerTlsOptions::ClientCertificate::Require,
                          .limits = {}};
  pair.server.reactor.set_tls(TlsContext::for_clients(strict).value());
  ClientTlsOptions shown;
  shown.certificate_file = pair.files.certificate_file;
  shown.key_file = pair.files.key_file;
  pair.setup = TlsContext::for_servers(shown).value();
  ASSERT_TRUE(pair.until([turns = 0]() mutable { return ++turns > 2; }));
  ASSERT_TRUE(pair.secure());
  ASSERT_TRUE(pair.server.told.secured.contains(pair.there));
  EXPECT_THAT(pair.server.told.secured.at(pair.there).peer_common_name, HasSubstr("pgweir on "));

  const ConnectionId bare = pair.client.reactor.open(pair.endpoint);
  ASSERT_TRUE(pair.until([&] { return pair.server.told.accepted.size() == 2; }));
  TlsRequest request = pair.connect_request("localhost", true);
  request.setup = TlsContext::for_servers({}).value();
  pair.client.reactor.start_tls(bare, request);
  ASSERT_TRUE(pair.until([&] { return pair.client.told.ended.contains(bare); }));
  EXPECT_EQ(pair.client.told.ended.at(bare).detail, "the server requires a certificate from us");
  EXPECT_EQ(pair.server.told.ended.at(pair.server.told.accepted.back()).detail,
            "the client sent no certificate, and one is required");
}

TEST(TlsContextTest, a_pkcs12_file_needs_its_password) {
  const TemporaryDirectory directory;
  const CertificateFiles files = ensure_self_signed(directory.path()).value();
  const std::string bundle = directory.path() + "/identity.p12";
  write_pkcs12(files, bundle, "horse battery");
  ClientTlsOptions options;
  options.pkcs12_file = bundle;
  options.key_password = base::Secret("horse battery");
  EXPECT_TRUE(TlsContext::for_servers(options).has_value());
  options.key_password = base::Secret("wrong");
  const auto made = TlsContext::for_servers(options);
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().context, HasSubstr("identity.p12"));
  EXPECT_THAT(made.error().context, Not(HasSubstr("wrong")));
}

TEST(TlsTest, the_cipher_suites_of_tls_1_3_are_those_asked_for) {
  ClientTlsOptions options;
  options.limits.ciphers_tls13 = "TLS_CHACHA20_POLY1305_SHA256";
  Pair pair(options);
  ASSERT_TRUE(pair.secure());
  EXPECT_EQ(pair.client.told.secured.at(pair.here).cipher, "TLS_CHACHA20_POLY1305_SHA256");
  options.limits.ciphers_tls13 = "TLS_NONSENSE";
  EXPECT_THAT(TlsContext::for_servers(options).error().context, HasSubstr("TLS_NONSENSE"));
}

// An empty directory has no list of this authority, so nothing it signs can be believed.
TEST(TlsTest, a_directory_of_revocation_lists_is_asked) {
  ClientTlsOptions options;
  options.verify = ClientTlsOptions::Verify::Authority;
  const TemporaryDirectory lists;
  options.revocation_directory = lists.path();
  Pair pair(options);
  ASSERT_TRUE(pair.secure());
  ASSERT_TRUE(pair.client.told.ended.contains(pair.here));
  EXPECT_THAT(pair.client.told.ended.at(pair.here).detail, HasSubstr("CRL"));
}

TEST(TlsTest, garbage_after_the_handshake_ends_the_connection) {
  Pair pair;
  const Descriptor peer = connect_peer(pair.endpoint);
  ASSERT_TRUE(pair.until([&] { return pair.server.told.accepted.size() == 2; }));
  const ConnectionId id = pair.server.told.accepted.back();
  const std::string hello = std::string("\x16\x03\x01\x00\x05", 5) + "xxxxx";
  send_both(peer.get(), as_bytes(hello), {});
  ASSERT_TRUE(pair.until([&] { return pair.server.told.ended.contains(id); }));
  EXPECT_EQ(pair.server.told.ended.at(id).cause, CloseCause::TlsFailed);
  EXPECT_FALSE(pair.server.told.ended.at(id).detail.empty());
}

TEST(TlsTest, hand_over_keeps_the_session_and_what_is_unread) {
  Pair pair;
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  pair.server.reactor.attach(switchboard);
  ASSERT_TRUE(pair.secure());
  pair.server.reactor.pause(pair.there);
  pair.client.reactor.try_send(pair.here, as_bytes("first query"));
  ASSERT_TRUE(pair.until([turns = 0]() mutable { return ++turns > 3; }));
  pair.server.reactor.hand_over(pair.there, base::Mailbox::relay(0),
                                std::make_unique<Note>("client"));
  ASSERT_TRUE(turn_until({&relay.reactor}, [&] { return !relay.told.bytes.empty(); }));
  const ConnectionId moved = relay.told.parcels.front().first;
  EXPECT_EQ(relay.told.bytes[moved], "first query");
  relay.reactor.try_send(moved, as_bytes("rows"));
  EXPECT_TRUE(pair.until([&] { return pair.client.told.bytes[pair.here] == "rows"; }));
}

TEST(TlsTest, hand_over_takes_along_what_came_with_the_end_of_the_handshake) {
  Pair pair;
  Node relay;
  Switchboard switchboard;
  switchboard.relays.push_back(&relay.reactor.inbox());
  pair.server.reactor.attach(switchboard);
  // The client speaks before the server has turned, so one segment ends the handshake and holds
  // the first bytes; these are still encrypted when the connection moves.
  pair.client.told.on_secured = [&](ConnectionId id) {
    pair.client.reactor.try_send(id, as_bytes("early"));
  };
  pair.server.told.on_secured = [&](ConnectionId id) {
    pair.server.reactor.hand_over(id, base::Mailbox::relay(0), std::make_unique<Note>("client"));
  };
  ASSERT_TRUE(pair.secure());
  ASSERT_TRUE(turn_until({&relay.reactor}, [&] { return !relay.told.bytes.empty(); }));
  EXPECT_EQ(relay.told.bytes[relay.told.parcels.front().first], "early");
  EXPECT_TRUE(pair.server.told.bytes.empty() || pair.server.told.bytes[pair.there].empty());
}

TEST(SelfSignedTest, is_made_once_and_used_again) {
  TemporaryDirectory directory;
  const CertificateFiles first = ensure_self_signed(directory.path()).value();
  const CertificateFiles second = ensure_self_signed(directory.path()).value();
  EXPECT_TRUE(first.is_new);
  EXPECT_FALSE(second.is_new);
  struct stat key {};
  ASSERT_EQ(::stat(first.key_file.c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777U, 0600U);
  std::filesystem::remove(first.key_file);
  EXPECT_TRUE(ensure_self_signed(directory.path()).value().is_new) << "half a pair is no pair";
}

TEST(TlsContextTest, says_which_file_is_wrong) {
  ServerTlsOptions options;
  options.certificate_file = "/nowhere/server.crt";
  const auto made = TlsContext::for_clients(options);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, base::ErrorCode::Configuration);
  EXPECT_THAT(made.error().context,
              HasSubstr("the certificate \"/nowhere/server.crt\": No such file"));
}

}  // namespace
}  // namespace pgweir::net

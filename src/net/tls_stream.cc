// OpenSSL reads and writes through a BIO of our own, which takes from the caller's span and appends
// to the caller's buffer. Compared with OpenSSL's socket BIO that is one recv for a batch in place
// of two for each record, and one send for all records; compared with its memory BIO no copy is
// kept while the connection is idle.
//
// OpenSSL keeps 14 KB for an established connection, and half of the instructions of a short record
// are its own bookkeeping. Neither can be had without: what there is to give back by its interface
// comes to 1 KB. So with TLS 1.3 the traffic secrets are taken over, as the kernel's TLS would, and
// its object goes. They are to be had by the callback for key logs, which writes no log here.
#include "net/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "net/certificate.h"
#include "net/openssl_handles.h"
#include "net/tls_error.h"

namespace pgweir::net {
namespace {

constexpr std::string_view kClientSecret = "CLIENT_TRAFFIC_SECRET_0 ";
constexpr std::string_view kServerSecret = "SERVER_TRAFFIC_SECRET_0 ";

int clamp_to_int(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, 1U << 30U));
}

bool is_ip_literal(const std::string& host) {
  std::array<std::byte, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

base::Secret parse_hexadecimal(std::string_view digits) {
  std::array<char, EVP_MAX_MD_SIZE> bytes{};
  const std::size_t count = std::min(digits.size() / 2, bytes.size());
  for (std::size_t i = 0; i < count; ++i) {
    unsigned value = 0;
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, value, 16);
    bytes[i] = static_cast<char>(value);
  }
  base::Secret secret(std::string_view(bytes.data(), count));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

}  // namespace

struct TlsBio {
  static int read(BIO* bio, char* to, int bytes_max) {
    auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (stream.input_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count =
        std::min(stream.input_.size(), static_cast<std::size_t>(std::max(bytes_max, 0)));
    std::memcpy(to, stream.input_.data(), count);
    stream.input_ = stream.input_.subspan(count);
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* from, int bytes) {
    auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    base::append(*stream.out_,
                 base::as_bytes({from, static_cast<std::size_t>(std::max(bytes, 0))}));
    return bytes;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* make(TlsStream& stream) {
    static BIO_METHOD* const method = make_method();
    BIO* bio = BIO_new(method);
    ASSERT(bio != nullptr);
    BIO_set_data(bio, &stream);
    BIO_set_init(bio, 1);
    return bio;
  }

 private:
  static BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgweir");
    ASSERT(method != nullptr);
    BIO_meth_set_read(method, read);
    BIO_meth_set_write(method, write);
    BIO_meth_set_ctrl(method, control);
    return method;
  }
};

TlsStream::TlsStream(ssl_ctx_st& context, const base::TlsRequest& request, bool verifies_host)
    : ssl_(SSL_new(&context)),
      secrets_(std::make_unique<Secrets>()),
      is_client_(request.role == base::TlsRequest::Role::Connect),
      is_direct_(request.is_direct) {
  ASSERT(ssl_ != nullptr);
  BIO* bio = TlsBio::make(*this);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_ex_data(ssl_, 0, this);
  SSL_set_max_send_fragment(ssl_, TlsRecords::kSentBytesMax);
  if (is_client_) {
    SSL_set_connect_state(ssl_);
    name_host(request, verifies_host);
  } else {
    SSL_set_accept_state(ssl_);
  }
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

void TlsStream::name_host(const base::TlsRequest& request, bool verifies_host) {
  const std::string& host = request.host;
  const bool is_address = is_ip_literal(host);
  // RFC 6066: SNI takes names only. (SSL_set_tlsext_host_name is this call behind a C cast.)
  if (!host.empty() && !is_address) {
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  if (!verifies_host) return;
  host_ = host;
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl_);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // An empty name would switch the check off, so it is replaced by one that nobody has.
  const std::string& wanted = host.empty() ? "host-is-missing.invalid" : host;
  const int is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, wanted.c_str())
                                : X509_VERIFY_PARAM_set1_host(rules, wanted.c_str(), wanted.size());
  ASSERT(is_set == 1);
}

TlsStream::Outcome TlsStream::handshake(base::Bytes input, base::ByteBuffer& out) {
  ERR_clear_error();
  input_ = input;
  out_ = &out;
  const int result = SSL_do_handshake(ssl_);
  base::append(kept_, input_);
  input_ = {};
  if (result == 1) return check_protocol();
  if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return Outcome::Ongoing;
  fail();
  return Outcome::Failed;
}

// Direct TLS without ALPN is refused on both sides, as PostgreSQL 17 does.
TlsStream::Outcome TlsStream::check_protocol() {
  if (!is_direct_ || !describe().alpn.empty()) return Outcome::Done;
  failure_ = std::string(is_client_ ? "the server" : "the client") +
             " started TLS directly without the ALPN protocol \"postgresql\"";
  return Outcome::Failed;
}

// line: a label, the random number of the ClientHello and the secret, both in hexadecimal.
void TlsStream::note_secret(const ssl_st* ssl, const char* line) {
  const std::string_view text = line;
  const bool is_of_client = text.starts_with(kClientSecret);
  if (!is_of_client && !text.starts_with(kServerSecret)) return;
  auto* stream = static_cast<TlsStream*>(SSL_get_ex_data(ssl, 0));
  const base::Secret secret = parse_hexadecimal(text.substr(text.rfind(' ') + 1));
  (is_of_client ? stream->secrets_->of_client : stream->secrets_->of_server) = secret;
}

// Whether what follows the handshake is TLS 1.3 and no more than TlsRecords knows.
bool TlsStream::is_plain_tls13(std::uint16_t suite) const {
  return SSL_version(ssl_) == TLS1_3_VERSION && TlsKeys::knows(suite) &&
         !secrets_->of_client.empty() && !secrets_->of_server.empty() &&
         // RFC 6066: a client without memory may have asked for short records.
         SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl_)) == 0;
}

void TlsStream::settle() {
  const auto suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl_));
  if (!is_plain_tls13(suite)) return;
  const base::Bytes of_client = base::as_bytes(secrets_->of_client.reveal());
  const base::Bytes of_server = base::as_bytes(secrets_->of_server.reveal());
  const TlsRecords::Secrets secrets{.read = is_client_ ? of_server : of_client,
                                    .write = is_client_ ? of_client : of_server};
  // OpenSSL reads no further than the record that it needs, so what is kept begins with a record.
  records_ = std::make_unique<TlsRecords>(suite, secrets, std::exchange(kept_, {}), is_client_);
  secrets_.reset();
  host_ = {};
  SSL_free(std::exchange(ssl_, nullptr));
}

TlsStream::Opened TlsStream::decrypt(base::Bytes input, std::span<std::byte> plain,
                                     base::ByteBuffer& out) {
  ASSERT(!plain.empty());
  Opened opened;
  if (records_ == nullptr) {
    opened.bytes = read_some(input, plain, out);
  } else {
    opened.bytes = records_->decrypt(input, plain, out);
    if (records_->has_failed()) failure_ = records_->failure();
  }
  // What the peer said before its end was sealed like everything else, and may say why it ends.
  if (opened.bytes > 0 || !is_over()) return opened;
  opened.has_failed = !failure_.empty();
  opened.has_ended = !opened.has_failed;
  return opened;
}

// By OpenSSL, with which a connection that has failed stays so.
std::size_t TlsStream::read_some(base::Bytes input, std::span<std::byte> plain,
                                 base::ByteBuffer& out) {
  if (!failure_.empty()) return 0;
  ERR_clear_error();
  out_ = &out;
  base::ByteBuffer kept = std::move(kept_);
  kept_.clear();
  if (!kept.empty()) {
    base::append(kept, input);
    input = kept;
  }
  input_ = input;
  std::size_t count = 0;
  int result = 1;
  while (count < plain.size()) {
    const std::span<std::byte> room = plain.subspan(count);
    result = SSL_read(ssl_, room.data(), clamp_to_int(room.size()));
    if (result <= 0) break;
    count += static_cast<std::size_t>(result);
  }
  const int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_NONE) base::append(kept_, input_);
  input_ = {};
  if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) fail();
  return count;
}

bool TlsStream::has_unread() const {
  if (records_ != nullptr) return records_->has_unread();
  return !kept_.empty() || SSL_pending(ssl_) > 0;
}

bool TlsStream::is_over() const {
  if (records_ != nullptr) return records_->is_closed() || records_->has_failed();
  return !failure_.empty() || (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TlsStream::is_silent() const {
  if (records_ != nullptr) return records_->is_silent();
  return kept_.empty() && SSL_has_pending(ssl_) == 0 && !is_over();
}

void TlsStream::encrypt(base::Bytes head, base::Bytes tail, base::ByteBuffer& out) {
  if (records_ != nullptr) return records_->encrypt(head, tail, out);
  ERR_clear_error();
  out_ = &out;
  std::array<std::byte, TlsRecords::kSentBytesMax> joined;
  // A short head would cost a record of its own, with 22 bytes and a cipher call more.
  if (!head.empty() && !tail.empty() && head.size() + tail.size() <= joined.size()) {
    std::memcpy(joined.data(), head.data(), head.size());
    std::memcpy(joined.data() + head.size(), tail.data(), tail.size());
    head = base::Bytes(joined).first(head.size() + tail.size());
    tail = {};
  }
  for (base::Bytes part : {head, tail}) {
    while (!part.empty()) {
      const int count = SSL_write(ssl_, part.data(), clamp_to_int(part.size()));
      // The BIO takes everything, so only a connection that has failed already gets here.
      if (count <= 0) return;
      part = part.subspan(static_cast<std::size_t>(count));
    }
  }
}

void TlsStream::say_goodbye(base::ByteBuffer& out) {
  if (records_ != nullptr) return records_->say_goodbye(out);
  out_ = &out;
  if (failure_.empty()) static_cast<void>(SSL_shutdown(ssl_));
  ERR_clear_error();
}

void TlsStream::fail() {
  failure_ = describe_tls_failure(*ssl_, is_client_ ? "the server" : "the client", host_);
}

base::TlsInfo TlsStream::describe() const {
  ASSERT(ssl_ != nullptr);
  base::TlsInfo info;
  info.version = SSL_get_version(ssl_);
  info.cipher = SSL_get_cipher_name(ssl_);
  const unsigned char* alpn = nullptr;
  unsigned alpn_bytes = 0;
  SSL_get0_alpn_selected(ssl_, &alpn, &alpn_bytes);
  info.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_bytes);
  const X509* own = SSL_get_certificate(ssl_);
  if (!is_client_ && own != nullptr) info.own_certificate_hash = certificate_hash(*own);
  const X509* peer = SSL_get0_peer_certificate(ssl_);
  if (peer == nullptr) return info;
  const bool is_verified =
      SSL_get_verify_mode(ssl_) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl_) == X509_V_OK;
  if (is_verified) info.peer_common_name = common_name(*peer);
  if (is_client_) info.peer_certificate_hash = certificate_hash(*peer);
  return info;
}

}  // namespace pgweir::net

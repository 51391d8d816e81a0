#include "net/tls_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/tls_error.h"

namespace pgweir::net {

enum class TlsRecords::Type : std::uint8_t { Alert = 21, Handshake = 22, Data = 23 };
enum class TlsRecords::Alert : std::uint8_t {
  CloseNotify = 0,
  UnexpectedMessage = 10,
  BadRecordMac = 20,
  RecordOverflow = 22,
  IllegalParameter = 47,
  DecodeError = 50,
  UserCanceled = 90
};

namespace {

constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kContentBytesMax = 16 * 1024;
constexpr std::size_t kInnerBytesMax = kContentBytesMax + 1;  // With the type behind the content.
constexpr std::size_t kTextBytesMax = kContentBytesMax + 256;
// Of the messages of a handshake that we know here a session ticket is the longest.
constexpr std::size_t kHandshakeBytesMax = 64 * 1024;
// Nobody says nothing so often in a row, be it with new keys, tickets or empty records. Without a
// limit a client would keep us busy without ever being heard of above.
constexpr std::uint8_t kBarrenMax = 32;
// AES-GCM is safe for 2^24.5 records of full size under one key (RFC 8446, 5.5).
constexpr std::uint64_t kRecordsPerKeyMax = 1ULL << 24U;

constexpr std::byte kNewSessionTicket{4};
constexpr std::byte kKeyUpdate{24};
constexpr std::byte kUpdateRequested{1};
constexpr std::byte kWarning{1};
constexpr std::byte kFatal{2};

// Of the record that begins here. One that claims to be too long ends behind its header, so that
// nobody waits for it.
std::size_t bytes_of_record(base::Bytes bytes) {
  if (bytes.size() < kHeaderBytes) return kHeaderBytes;
  const std::size_t text_bytes = base::load_u16(bytes.data() + 3);
  return kHeaderBytes + (text_bytes > kTextBytesMax ? 0 : text_bytes);
}

bool has_record(base::Bytes bytes) {
  return bytes.size() >= kHeaderBytes && bytes.size() >= bytes_of_record(bytes);
}

// Moves what the first record of `kept` lacks, as far as it is there.
void complete_record(base::ByteQueue& kept, base::Bytes& input) {
  while (!input.empty() && !has_record(kept.bytes())) {
    const std::size_t missing = bytes_of_record(kept.bytes()) - kept.size();
    const base::Bytes part = input.first(std::min(missing, input.size()));
    kept.push(part);
    input = input.subspan(part.size());
  }
}

std::size_t copy_some(base::Bytes from, std::span<std::byte> to) {
  const std::size_t count = std::min(from.size(), to.size());
  std::copy_n(from.begin(), count, to.begin());
  return count;
}

}  // namespace

TlsRecords::TlsRecords(std::uint16_t suite, const Secrets& secrets, base::Bytes unread,
                       bool is_client)
    : read_(suite, secrets.read),
      write_(suite, secrets.write, secrets.written),
      is_client_(is_client) {
  kept_.push(unread);
}

std::size_t TlsRecords::decrypt(base::Bytes input, std::span<std::byte> plain,
                                base::ByteBuffer& out) {
  std::size_t count = take_pending(plain);
  while (count < plain.size() && !is_closed_ && !has_failed_) {
    const bool is_kept = !kept_.empty();
    if (is_kept) complete_record(kept_, input);
    const base::Bytes bytes = is_kept ? kept_.bytes() : input;
    if (!has_record(bytes)) break;
    const std::size_t record_bytes = bytes_of_record(bytes);
    count += open(bytes.first(record_bytes), plain.subspan(count), out);
    if (is_kept) {
      kept_.pop(record_bytes);
    } else {
      input = input.subspan(record_bytes);
    }
  }
  if (is_closed_ || has_failed_) {
    kept_.clear();
  } else {
    kept_.push(input);
  }
  return count;
}

bool TlsRecords::has_unread() const { return !pending_.empty() || has_record(kept_.bytes()); }

bool TlsRecords::is_silent() const {
  return !is_closed_ && !has_failed_ && pending_.empty() && kept_.empty() && handshake_.empty();
}

std::size_t TlsRecords::take_pending(std::span<std::byte> room) {
  const std::size_t count = copy_some(pending_.bytes(), room);
  pending_.pop(count);
  return count;
}

// Decrypts into `room` where that is large enough, and returns how much of it holds data now.
std::size_t TlsRecords::open(base::Bytes record, std::span<std::byte> room, base::ByteBuffer& out) {
  const base::Bytes header = record.first(kHeaderBytes);
  const base::Bytes body = record.subspan(kHeaderBytes);
  if (header.front() != static_cast<std::byte>(Type::Data)) {
    fail(Alert::UnexpectedMessage, out);
    return 0;
  }
  if (base::load_u16(header.data() + 3) != body.size() ||
      body.size() > kInnerBytesMax + TlsKeys::kTagBytes) {
    fail(Alert::RecordOverflow, out);
    return 0;
  }
  if (body.size() <= TlsKeys::kTagBytes) {
    fail(Alert::BadRecordMac, out);
    return 0;
  }
  const base::Bytes text = body.first(body.size() - TlsKeys::kTagBytes);
  base::ByteBuffer elsewhere(text.size() > room.size() ? text.size() : 0);
  std::byte* plain = elsewhere.empty() ? room.data() : elsewhere.data();
  if (!read_.open(header, text, body.last(TlsKeys::kTagBytes), plain)) {
    fail(Alert::BadRecordMac, out);
    return 0;
  }
  return take(base::Bytes(plain, text.size()), room, out);
}

// inner: content, its type, and zeros as padding.
std::size_t TlsRecords::take(base::Bytes inner, std::span<std::byte> room, base::ByteBuffer& out) {
  while (!inner.empty() && inner.back() == std::byte{0}) inner = inner.first(inner.size() - 1);
  const Type type = inner.empty() ? Type{} : static_cast<Type>(inner.back());
  if (!inner.empty()) inner = inner.first(inner.size() - 1);
  if (type == Type::Data && !inner.empty() && handshake_.empty()) {
    barren_ = 0;
    if (inner.data() == room.data()) return inner.size();
    const std::size_t count = copy_some(inner, room);
    pending_.push(inner.subspan(count));
    return count;
  }
  take_barren(type, inner, out);
  return 0;
}

// Nothing that those above us hear of. Of the three only Data may be empty.
void TlsRecords::take_barren(Type type, base::Bytes content, base::ByteBuffer& out) {
  const bool is_empty_data = type == Type::Data && content.empty() && handshake_.empty();
  const bool is_message = (type == Type::Handshake || type == Type::Alert) && !content.empty();
  if (!(is_empty_data || is_message) || ++barren_ > kBarrenMax) {
    return fail(Alert::UnexpectedMessage, out);
  }
  if (type == Type::Handshake) take_handshake(content, out);
  if (type == Type::Alert) take_alert(content, out);
}

void TlsRecords::take_handshake(base::Bytes part, base::ByteBuffer& out) {
  constexpr std::size_t kHeadBytes = 4;  // Type, and three bytes of length.
  handshake_.push(part);
  while (handshake_.size() >= kHeadBytes && !has_failed_) {
    const base::Bytes bytes = handshake_.bytes();
    const std::size_t body_bytes = base::load_u32(bytes.data()) & 0xffffffU;
    const bool is_known =
        bytes.front() == kKeyUpdate || (bytes.front() == kNewSessionTicket && is_client_);
    if (!is_known || body_bytes > kHandshakeBytesMax) return fail(Alert::UnexpectedMessage, out);
    if (bytes.size() < kHeadBytes + body_bytes) return;
    const base::Bytes body = bytes.subspan(kHeadBytes, body_bytes);
    if (bytes.front() == kKeyUpdate) {
      // The keys change between two records, so nothing is behind it in its own.
      if (bytes.size() > kHeadBytes + body_bytes) return fail(Alert::UnexpectedMessage, out);
      take_key_update(body, out);
    }
    handshake_.pop(kHeadBytes + body_bytes);
  }
}

void TlsRecords::take_key_update(base::Bytes body, base::ByteBuffer& out) {
  if (body.size() != 1) return fail(Alert::DecodeError, out);
  if (body.front() > kUpdateRequested) return fail(Alert::IllegalParameter, out);
  read_.update();
  if (body.front() == kUpdateRequested) renew_write_keys(out);
}

void TlsRecords::take_alert(base::Bytes body, base::ByteBuffer& out) {
  if (body.size() != 2) return fail(Alert::DecodeError, out);
  const auto alert = static_cast<Alert>(body.back());
  if (alert == Alert::UserCanceled) return;
  if (alert == Alert::CloseNotify) {
    is_closed_ = true;
    return;
  }
  has_failed_ = is_alert_of_peer_ = true;
  alert_ = std::to_integer<std::uint8_t>(body.back());
}

void TlsRecords::fail(Alert alert, base::ByteBuffer& out) {
  has_failed_ = true;
  alert_ = static_cast<std::uint8_t>(alert);
  write(Type::Alert, std::array{kFatal, static_cast<std::byte>(alert)}, {}, out);
}

std::string TlsRecords::failure() const {
  const char* const peer = is_client_ ? "the server" : "the client";
  if (is_alert_of_peer_) return describe_tls_alert(alert_, peer);
  return fmt::format("{} broke the TLS protocol ({})", peer, name_tls_alert(alert_));
}

void TlsRecords::encrypt(base::Bytes head, base::Bytes tail, base::ByteBuffer& out) {
  while (!has_failed_ && !(head.empty() && tail.empty())) {
    const base::Bytes first = head.first(std::min(head.size(), kSentBytesMax));
    const base::Bytes second = tail.first(std::min(tail.size(), kSentBytesMax - first.size()));
    if (write_.record_count() >= kRecordsPerKeyMax) renew_write_keys(out);
    write(Type::Data, first, second, out);
    head = head.subspan(first.size());
    tail = tail.subspan(second.size());
  }
}

void TlsRecords::say_goodbye(base::ByteBuffer& out) {
  if (has_failed_) return;
  write(Type::Alert, std::array{kWarning, static_cast<std::byte>(Alert::CloseNotify)}, {}, out);
}

void TlsRecords::renew_write_keys(base::ByteBuffer& out) {
  constexpr std::array kMessage{kKeyUpdate, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
  write(Type::Handshake, kMessage, {}, out);
  write_.update();
}

void TlsRecords::write(Type type, base::Bytes head, base::Bytes tail, base::ByteBuffer& out) {
  const std::size_t begin = out.size();
  const std::size_t inner_bytes = head.size() + tail.size() + 1;
  base::ByteWriter header(out);
  header.u8(static_cast<std::uint8_t>(Type::Data));
  header.u16(0x0303);  // As TLS 1.2 calls itself; every record of TLS 1.3 does.
  header.u16(static_cast<std::uint16_t>(inner_bytes + TlsKeys::kTagBytes));
  base::append(out, head);
  base::append(out, tail);
  out.push_back(static_cast<std::byte>(type));
  out.resize(out.size() + TlsKeys::kTagBytes);
  const std::span<std::byte> record = std::span(out).subspan(begin);
  write_.seal(record.first(kHeaderBytes), record.subspan(kHeaderBytes, inner_bytes),
              record.last(TlsKeys::kTagBytes).data());
}

}  // namespace pgweir::net

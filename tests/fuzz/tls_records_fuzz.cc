// What a client that has ended its handshake may put into records. Each line is sealed as one, with
// the type at its end, and comes in two pieces.
#include <array>

#include "base/assert.h"
#include "fuzz_target.h"
#include "net/tls_records.h"

namespace pgweir::fuzz {
namespace {

constexpr std::uint16_t kSuite = 0x1301;
constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kLineBytesMax = 20'000;

base::ByteBuffer seal(net::TlsKeys& keys, base::Bytes inner) {
  base::ByteBuffer record;
  base::ByteWriter writer(record);
  writer.u8(23);
  writer.u16(0x0303);
  writer.u16(static_cast<std::uint16_t>(inner.size() + net::TlsKeys::kTagBytes));
  writer.bytes(inner);
  record.resize(record.size() + net::TlsKeys::kTagBytes);
  const std::span<std::byte> all(record);
  keys.seal(all.first(kHeaderBytes), all.subspan(kHeaderBytes, inner.size()),
            all.last(net::TlsKeys::kTagBytes).data());
  return record;
}

void fuzz_tls_records(base::Bytes input) {
  const base::ByteBuffer secret(32, std::byte{7});
  net::TlsKeys peer(kSuite, secret);
  net::TlsRecords ours(kSuite, {.read = secret, .write = secret}, {}, false);
  std::array<std::byte, 100> room;
  base::ByteBuffer out;
  while (!input.empty()) {
    const base::Bytes line = take_line(input);
    if (line.size() > kLineBytesMax) return;
    const base::ByteBuffer record = seal(peer, line);
    const base::Bytes bytes(record);
    ASSERT(ours.decrypt(bytes.first(line.size() / 2), room, out) <= room.size());
    ASSERT(ours.decrypt(bytes.subspan(line.size() / 2), room, out) <= room.size());
    while (ours.has_unread() && !ours.has_failed()) {
      ASSERT(ours.decrypt({}, room, out) <= room.size());
    }
    ours.encrypt(line, {}, out);
    out.clear();
    if (ours.has_failed()) ASSERT(!ours.failure().empty());
  }
}

const Registration kRegistered("tls_records", fuzz_tls_records);

}  // namespace
}  // namespace pgweir::fuzz

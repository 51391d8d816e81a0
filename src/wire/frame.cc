#include "wire/frame.h"

#include "base/assert.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {
constexpr std::uint32_t kLengthBytes = 4;  // The length field counts itself, not the type.
}

base::Result<Header> parse_header(const std::byte* five_bytes, base::Side from) {
  const std::uint32_t length = base::load_u32(five_bytes + 1);
  if (length < kLengthBytes) return violation(from, "a message length below 4");
  if (length > kBodyBytesMax + kLengthBytes) return violation(from, "a message length above 1 GiB");
  return Header{.type = std::to_integer<char>(five_bytes[0]), .body_bytes = length - kLengthBytes};
}

base::Result<std::optional<Frame>> take_frame(base::Bytes& input, std::uint32_t body_bytes_max,
                                              base::Side from) {
  if (input.size() < kHeaderBytes) return std::optional<Frame>();
  const Header header = TRY(parse_header(input.data(), from));
  if (header.body_bytes > body_bytes_max) {
    return violation(from, "a message longer than this kind may be");
  }
  if (input.size() - kHeaderBytes < header.body_bytes) return std::optional<Frame>();
  const Frame frame{.type = header.type, .body = input.subspan(kHeaderBytes, header.body_bytes)};
  input = input.subspan(kHeaderBytes + header.body_bytes);
  return std::optional<Frame>(frame);
}

FrameWriter::FrameWriter(base::ByteBuffer& out, char type) : ByteWriter(out), out_(out) {
  u8(static_cast<std::uint8_t>(type));
  length_at_ = out.size();
  u32(0);
}

FrameWriter::~FrameWriter() {
  const std::size_t length = out_.size() - length_at_;
  ASSERT(length <= kBodyBytesMax + kLengthBytes);
  base::store_u32(out_.data() + length_at_, static_cast<std::uint32_t>(length));
}

}  // namespace pgweir::wire

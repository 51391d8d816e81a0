// Frames: a type byte, a length that counts itself, a body. Nothing here knows what a body means.
// The client's first packet has no type byte and lives in wire/startup.h.
// Source of truth: PostgreSQL manual, "Message Formats"; pqcomm.h for the limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::wire {

// Borrows the bytes that it was taken from.
struct Frame {
  char type = 0;
  base::Bytes body;
};

inline constexpr std::size_t kHeaderBytes = 5;
// PostgreSQL's own ceiling for a message (PQ_LARGE_MESSAGE_LIMIT, MaxAllocSize), without its
// length.
inline constexpr std::uint32_t kBodyBytesMax = 0x3fffffff;

struct Header {
  char type = 0;
  std::uint32_t body_bytes = 0;  // At most kBodyBytesMax.
};

// Reads the five bytes of a header.
// Errors: ProtocolViolation of `from` if the length is below 4 or above kBodyBytesMax + 4.
base::Result<Header> parse_header(const std::byte* five_bytes, base::Side from);

// Takes the first whole frame off `input`, or returns nullopt and leaves `input` alone if it is
// still incomplete. The frame borrows from what `input` spans.
//
// body_bytes_max: a longer body is refused as soon as its header is there.
// Errors: ProtocolViolation of `from`, as parse_header, or for a body above the limit.
base::Result<std::optional<Frame>> take_frame(base::Bytes& input, std::uint32_t body_bytes_max,
                                              base::Side from);

// Appends one frame to a buffer: the header at once, the body through ByteWriter, the length when
// the writer ends. Only one writer at a time may be at work on a buffer.
class FrameWriter : public base::ByteWriter {
 public:
  FrameWriter(base::ByteBuffer& out, char type);
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;
  ~FrameWriter();

 private:
  base::ByteBuffer& out_;
  std::size_t length_at_;
};

}  // namespace pgweir::wire

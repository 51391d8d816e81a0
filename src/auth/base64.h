// Base64 as SCRAM uses it: the standard alphabet, padding required, nothing else allowed.
// Source of truth: RFC 4648, sections 4 and 3.5 (unused bits must be zero).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace pgweir::auth {

std::string encode_base64(base::Bytes data);
// Behind what `out` holds already.
void append_base64(std::string& out, base::Bytes data);

// nullopt for anything that encode_base64 would not have written.
std::optional<base::ByteBuffer> decode_base64(std::string_view text);
// The same where it is known how many bytes there must be: false for anything else, too; then what
// is in `out` means nothing. Allocates nothing.
bool decode_base64_exactly(std::string_view text, std::span<std::byte> out);

}  // namespace pgweir::auth

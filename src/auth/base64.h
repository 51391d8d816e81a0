// Base64 as SCRAM uses it: the standard alphabet, padding required, nothing else allowed.
// Source of truth: RFC 4648, sections 4 and 3.5 (unused bits must be zero).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace pgweir::auth {

std::string encode_base64(base::Bytes data);

// nullopt for anything that encode_base64 would not have written.
std::optional<base::ByteBuffer> decode_base64(std::string_view text);

}  // namespace pgweir::auth

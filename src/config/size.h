// Sizes as text: "65536", "64kB", "1MB". As in PostgreSQL's own parameters, kB is 1024 bytes; a
// bare number is bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::config {

// Suffixes: B, kB, MB, GB, in any case. Nullopt: not a size, negative, or 1 PB and more.
std::optional<std::uint64_t> parse_size(std::string_view text);

// The shortest text that parse_size reads back: "1MB", "1000000".
std::string render_size(std::uint64_t bytes);

}  // namespace pgweir::config

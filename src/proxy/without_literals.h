// A statement as somebody other than its author may see it. It reads no grammar: what could hold a
// literal is left out rather than understood.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgweir::proxy {

// The text with literals, numbers and comments replaced, at most `bytes_max` long.
std::string without_literals(std::string_view text, std::size_t bytes_max);

}  // namespace pgweir::proxy

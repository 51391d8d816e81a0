#include "client/hex_digit.h"
#include "pgweir/values/texts.hpp"

namespace pgweir {
inline namespace v1 {

// Only the hex format: the other one has not been PostgreSQL's default since 9.0.
bool detail::decode_bytea(const cell& from, std::vector<std::byte>& to) {
  to.clear();
  if (from.is_binary) {
    const auto* first = reinterpret_cast<const std::byte*>(from.bytes.data());
    to.assign(first, first + from.bytes.size());
    return true;
  }
  if (!from.bytes.starts_with("\\x") || from.bytes.size() % 2 != 0) return false;
  to.reserve(from.bytes.size() / 2 - 1);
  for (std::size_t i = 2; i < from.bytes.size(); i += 2) {
    const int high = client::nibble_of(from.bytes[i]);
    const int low = client::nibble_of(from.bytes[i + 1]);
    if (high < 0 || low < 0) return false;
    to.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return true;
}

}  // namespace v1
}  // namespace pgweir

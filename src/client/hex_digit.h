// What a hex digit is worth. Not a decoder of bytes: who has to say what is wrong differs.
#pragma once

namespace pgweir::client {

// 0 to 15; -1 when it is none.
constexpr int nibble_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace pgweir::client

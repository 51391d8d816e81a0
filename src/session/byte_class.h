// ByteClass: what a byte of SQL outside of strings and comments can be part of, as PostgreSQL's
// scan.l has it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pgweir::session {

// Symbol: everything that is none of the others, quotes included. Letter: what a name may begin
// with, so the bytes of any other alphabet, too.
enum class ByteClass : std::uint8_t { Symbol, Space, Newline, Letter, Digit };

constexpr std::array<ByteClass, 256> make_byte_classes() {
  std::array<ByteClass, 256> classes{};
  for (std::size_t c = 0x80; c < 256; ++c) classes[c] = ByteClass::Letter;
  for (unsigned char c = 'a'; c <= 'z'; ++c) classes[c] = ByteClass::Letter;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) classes[c] = ByteClass::Letter;
  for (unsigned char c = '0'; c <= '9'; ++c) classes[c] = ByteClass::Digit;
  classes['_'] = ByteClass::Letter;
  // The zero byte that ends the text in its message changes nothing; within it the server refuses
  // it.
  for (const char c : {' ', '\t', '\f', '\v', '\0'}) {
    classes[static_cast<unsigned char>(c)] = ByteClass::Space;
  }
  for (const char c : {'\n', '\r'}) classes[static_cast<unsigned char>(c)] = ByteClass::Newline;
  return classes;
}

inline constexpr std::array<ByteClass, 256> kByteClasses = make_byte_classes();

constexpr ByteClass class_of(char c) { return kByteClasses[static_cast<unsigned char>(c)]; }

constexpr bool is_digit(char c) { return class_of(c) == ByteClass::Digit; }

// What the tag of a dollar quote consists of.
constexpr bool is_tag_byte(char c) { return class_of(c) == ByteClass::Letter || is_digit(c); }

// What a name goes on with.
constexpr bool is_word_byte(char c) { return is_tag_byte(c) || c == '$'; }

constexpr bool is_blank(char c) {
  return class_of(c) == ByteClass::Space || class_of(c) == ByteClass::Newline;
}

}  // namespace pgweir::session

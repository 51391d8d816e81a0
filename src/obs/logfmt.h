// LineBuffer: builds one line of the log in logfmt (key=value, separated by blanks) in a fixed
// buffer, without allocation. Values may come from hostile peers: whatever they contain, a line
// stays one line, a value stays one value, and both stay bounded.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "obs/event.h"

namespace pgweir::obs {

inline constexpr std::size_t kLineBytesMax = 4096;
inline constexpr std::size_t kValueBytesMax = 512;  // Of a text as written, without its quotes.

class LineBuffer {
 public:
  // Adds a field. A text of plain ASCII without blanks, quotes, `=` and backslashes stays bare, any
  // other is quoted; control bytes, invalid UTF-8 and characters that change how a terminal shows
  // the line become escapes. A text that is too long ends in `...`; a field that does not fit into
  // the line is left out whole, and so is all that comes after it.
  void add(const Field& field);

  // The line so far, without a line feed; borrowed from the buffer.
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  void put(std::string_view bytes);
  void put_number(const Field& field);
  void put_text(std::string_view text);
  void put_escaped(std::string_view text);

  std::array<char, kLineBytesMax> bytes_;
  std::size_t size_ = 0;
  bool is_full_ = false;
};

}  // namespace pgweir::obs

#include "proxy/without_literals.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace pgweir::proxy {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

class Eraser {
 public:
  Eraser(std::string_view text, std::size_t bytes_max) : text_(text), bytes_max_(bytes_max) {}

  std::string run() {
    while (at_ < text_.size() && out_.size() < bytes_max_ && take_next()) {
    }
    out_.resize(std::min(out_.size(), bytes_max_));
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    return std::move(out_);
  }

 private:
  // All of these: false when nothing of the rest may be shown.
  bool take_next() {
    const char c = text_[at_];
    const std::string_view two = text_.substr(at_, 2);
    // What is behind the end of the text is another message.
    if (c == '\0' || two == "/*" || two == "--") return false;
    if (is_letter(c) && !is_in_word_ && is_at_start_ && begins_set()) return show_set();
    if (c == '\'') return replace_quoted();
    if (c == '"') return copy_identifier();
    if (c == '$' && !is_in_word_) return replace_dollar();
    if (is_digit(c) && !is_in_word_) return replace_number();
    copy(c);
    return true;
  }

  // SET takes words for values, which are literals without any quote: only the name is shown.
  bool begins_set() const {
    const std::string_view word = text_.substr(at_, 4);
    return word.size() == 4 && (word[0] | 0x20) == 's' && (word[1] | 0x20) == 'e' &&
           (word[2] | 0x20) == 't' && is_space(word[3]);
  }
  bool show_set() {
    const std::string_view rest = text_.substr(at_);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const bool is_name = is_letter(rest[i]) || is_digit(rest[i]) || rest[i] == '_' ||
                           rest[i] == '.' || is_space(rest[i]);
      const bool is_to = i >= 4 && is_space(rest[i]) && (rest[i - 1] | 0x20) == 'o' &&
                         (rest[i - 2] | 0x20) == 't' && is_space(rest[i - 3]);
      if (is_name && !is_to) {
        copy(rest[i]);
        continue;
      }
      if (!is_to) out_ += rest[i];
      out_ += " ?";
      return false;
    }
    return false;
  }

  bool replace_quoted() {
    put_mark();
    const std::size_t end = text_.find_first_of("'\\", at_ + 1);
    // A backslash may or may not escape the quote behind it: nothing after it is shown.
    if (end == std::string_view::npos || text_[end] == '\\') return false;
    at_ = end + 1;
    return true;
  }

  // $1, or the beginning of $tag$: what that quotes may be anything.
  bool replace_dollar() {
    put_mark();
    const std::size_t digits = ++at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > digits;
  }

  bool replace_number() {
    put_mark();
    while (at_ < text_.size() && (is_digit(text_[at_]) || is_letter(text_[at_]) ||
                                  text_[at_] == '.' || text_[at_] == '_')) {
      ++at_;
    }
    return true;
  }

  // Whatever it contains: a quote in it begins no literal.
  bool copy_identifier() {
    const std::size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) return false;
    out_ += text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    is_in_word_ = false;
    return true;
  }

  void copy(char c) {
    is_in_word_ = is_digit(c) || is_letter(c) || c == '_';
    is_at_start_ = c == ';' || (is_at_start_ && is_space(c));
    if (!is_space(c)) {
      out_ += c;
    } else if (!out_.empty() && out_.back() != ' ') {
      out_ += ' ';
    }
    ++at_;
  }

  void put_mark() {
    is_in_word_ = false;
    out_ += '?';
  }

  std::string_view text_;
  std::size_t bytes_max_;
  std::size_t at_ = 0;
  bool is_in_word_ = false;
  bool is_at_start_ = true;  // Of a statement.
  std::string out_;
};

}  // namespace

std::string without_literals(std::string_view text, std::size_t bytes_max) {
  return Eraser(text, bytes_max).run();
}

}  // namespace pgweir::proxy

#include "session/plain_statement.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "session/ascii_case.h"
#include "session/byte_class.h"
#include "session/watched_names.h"

namespace pgweir::session {

namespace {

// How a byte outside of strings goes on. Doubtful: it may begin what takes a closer look.
enum class Glance : std::uint8_t {
  Doubtful,
  Harmless,
  Letter,
  Digit,
  Quote,
  NameQuote,
  Minus,
  Slash,
  Dollar
};

constexpr Glance glance_at_symbol(char c) {
  switch (c) {
    case '\'': return Glance::Quote;
    case '"': return Glance::NameQuote;
    case '-': return Glance::Minus;
    case '/': return Glance::Slash;
    case '$': return Glance::Dollar;
    default:
      return std::string_view("()[],.:=<>+*%^|&!?@#~`").find(c) == std::string_view::npos
                 ? Glance::Doubtful
                 : Glance::Harmless;
  }
}

constexpr std::array<Glance, 256> make_glances() {
  std::array<Glance, 256> glances{};
  for (std::size_t i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    switch (class_of(c)) {
      case ByteClass::Letter: glances[i] = Glance::Letter; break;
      case ByteClass::Digit: glances[i] = Glance::Digit; break;
      case ByteClass::Space:
      case ByteClass::Newline: glances[i] = Glance::Harmless; break;
      case ByteClass::Symbol: glances[i] = glance_at_symbol(c); break;
    }
  }
  return glances;
}

constexpr std::array<Glance, 256> kGlances = make_glances();

Glance glance_at(char c) { return kGlances[static_cast<unsigned char>(c)]; }

// What may be temporary, or the body of a function, wherever it stands (StatementWatch).
bool is_doubtful_word(std::string_view word) {
  switch (word.size()) {
    case 4: return is_same_folded(word, "temp") || is_same_folded(word, "into");
    case 6: return is_same_folded(word, "atomic");
    case 9: return is_same_folded(word, "temporary");
    default: return false;
  }
}

class Eye {
 public:
  explicit Eye(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool sees_plain_statement() {
    skip_blanks();
    if (!takes_verb()) return false;
    while (at_ != end_) {
      if (*at_ == ';') {
        ++at_;
        skip_blanks();
        return at_ == end_;
      }
      if (!takes_next()) return false;
    }
    return true;
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  bool takes_verb() {
    if (at_ == end_ || glance_at(*at_) != Glance::Letter) return false;
    const std::string_view verb = take_word();
    switch (verb.size()) {
      case 4: return is_same_folded(verb, "with");
      case 5: return is_same_folded(verb, "begin");
      case 6:
        if (is_same_folded(verb, "insert")) {
          // Anywhere else it would create a table.
          skip_blanks();
          return at_ != end_ && glance_at(*at_) == Glance::Letter &&
                 is_same_folded(take_word(), "into");
        }
        return is_same_folded(verb, "select") || is_same_folded(verb, "update") ||
               is_same_folded(verb, "delete") || is_same_folded(verb, "values") ||
               is_same_folded(verb, "commit");
      default: return false;
    }
  }

  bool takes_next() {
    switch (glance_at(*at_)) {
      case Glance::Harmless: ++at_; return true;
      case Glance::Digit: return takes_digit();
      case Glance::Letter: {
        const std::string_view word = take_word();
        return !may_be_watched(word) && !is_doubtful_word(word);
      }
      case Glance::Quote: return takes_string();
      case Glance::NameQuote: return takes_quoted_name();
      case Glance::Minus: return takes_unless_before('-');
      case Glance::Slash: return takes_unless_before('*');
      case Glance::Dollar: ++at_; return at_ != end_ && glance_at(*at_) == Glance::Digit;
      case Glance::Doubtful: return false;
    }
    return false;
  }

  // What begins right behind a number may be a word before PostgreSQL 15: 1e5into.
  bool takes_digit() {
    ++at_;
    if (at_ == end_ || glance_at(*at_) != Glance::Letter) return true;
    const std::string_view exponent = take_word();
    return exponent.size() > 1 && (exponent.front() == 'e' || exponent.front() == 'E') &&
           std::all_of(exponent.begin() + 1, exponent.end(), is_digit);
  }

  bool takes_unless_before(char next) {
    ++at_;
    return at_ == end_ || *at_ != next;
  }

  // A quote written twice ends one string and begins another: it makes no difference here.
  bool takes_string() {
    for (++at_; at_ != end_; ++at_) {
      if (*at_ == '\\') return false;
      if (*at_ == '\'') {
        ++at_;
        return true;
      }
    }
    return false;
  }

  // Not U&"…", whose escapes may spell any name, and none with a quote in it.
  bool takes_quoted_name() {
    if (at_[-1] == '&') return false;  // A verb stands before it.
    const char* begin = ++at_;
    while (at_ != end_ && *at_ != '"') ++at_;
    if (at_ == end_) return false;
    const std::string_view name(begin, static_cast<std::size_t>(at_ - begin));
    ++at_;
    return (at_ == end_ || *at_ != '"') && !may_be_watched(name);
  }

  std::string_view take_word() {
    const char* begin = at_;
    for (++at_; at_ != end_; ++at_) {
      const Glance glance = glance_at(*at_);
      if (glance != Glance::Letter && glance != Glance::Digit && glance != Glance::Dollar) break;
    }
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  const char* at_;
  const char* end_;
};

}  // namespace

bool is_plain_statement(std::string_view text) { return Eye(text).sees_plain_statement(); }

}  // namespace pgweir::session

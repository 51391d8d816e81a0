// Event and Field: what can be reported, and with which details. One declaration of an Event is the
// log line, the counter `pgweir_<name>_total` and the manual entry, so the three cannot disagree.
// A floor declares its events in its own events.h; obs/log.h writes and counts them.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/time.h"

namespace pgweir::obs {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };

constexpr std::string_view to_text(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warning: return "warning";
    case Level::Error: return "error";
  }
  return "error";
}

// What the log's owner may silence apart from the level; counted it is all the same.
enum class Topic : std::uint8_t {
  Other,
  Connections,     // Logins of clients.
  Disconnections,  // Ends of clients.
  ClientErrors,    // Errors that we send to clients.
};

// Declared `inline constexpr`, with literals only: a Log keeps views of these texts.
struct Event {
  std::string_view name;  // snake_case, unique: the line's event= and the counter's name.
  Level level = Level::Info;
  std::string_view label = {};  // Key of the field that is also the counter's label; empty: none.
  Topic topic = Topic::Other;
  std::string_view doc;  // One or two sentences for the manual and the counter's help.
};

// One detail of a report: a key and a value. It borrows both and allocates nothing, so it lives no
// longer than the call it is built for.
struct Field {
  enum class Kind : std::uint8_t { Signed, Unsigned, Boolean, Text, Time };

  std::string_view key;
  std::string_view text = {};  // Kind::Text.
  std::uint64_t number = 0;    // All other kinds; the bits of an int64_t for Signed and Time (ns).
  Kind kind = Kind::Text;
};

inline Field kv(std::string_view key, std::string_view text) {
  return {.key = key, .text = text, .kind = Field::Kind::Text};
}
// Without this overload a string literal would prefer the conversion to bool.
inline Field kv(std::string_view key, const char* text) { return kv(key, std::string_view(text)); }

// The key says the unit: a key that ends in `_us` or `_ms` prints micro- or milliseconds, every
// other key prints seconds and should end in `_s`.
inline Field kv(std::string_view key, base::Duration time) {
  return {
      .key = key, .number = static_cast<std::uint64_t>(time.count()), .kind = Field::Kind::Time};
}

inline Field kv(std::string_view key, std::same_as<bool> auto flag) {
  return {.key = key, .number = flag ? 1U : 0U, .kind = Field::Kind::Boolean};
}

template <std::integral Number>
requires(!std::same_as<Number, bool>) Field kv(std::string_view key, Number number) {
  return {.key = key,
          .number = static_cast<std::uint64_t>(number),
          .kind = std::signed_integral<Number> ? Field::Kind::Signed : Field::Kind::Unsigned};
}

// An enumerator prints as its to_text(), found beside its type; without one (the strong ids of
// base/ids.h) it prints as its number.
template <class Enum>
requires std::is_enum_v<Enum> Field kv(std::string_view key, Enum value) {
  if constexpr (requires { std::string_view(to_text(value)); }) {
    return kv(key, std::string_view(to_text(value)));
  } else {
    return kv(key, static_cast<std::underlying_type_t<Enum>>(value));
  }
}

}  // namespace pgweir::obs

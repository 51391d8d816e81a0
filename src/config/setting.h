// Setting: one row of the settings table (settings.h), and the helpers to write rows. A row knows
// its names in every syntax and where its value lives; how a value of its type is read and
// shown is codec.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "config/codec.h"
#include "config/document.h"
#include "config/draft.h"

namespace pgweir::config {

// What a changed value needs to take effect.
enum class Reload : std::uint8_t {
  Live,            // At once.
  NewConnections,  // For connections made from then on; older ones are replaced in time.
  Restart,
};

// The place of a value in options of type Value; while it is being written, in a Draft of them.
// Null functions: the setting does not exist in this scope.
template <class Draft, class Value>
struct Field {
  Complaint (*parse)(const Input&, Draft&) = nullptr;
  std::string (*render)(const Value&) = nullptr;  // Secrets as ****.
  bool (*is_equal)(const Value&, const Value&) = nullptr;
  std::string (*type)() = nullptr;
  bool is_secret = false;

  explicit operator bool() const { return parse != nullptr; }
};
using ProcessField = Field<ProcessDraft, Config>;
using DatabaseField = Field<DatabaseDraft, proxy::DatabaseOptions>;
using UserField = Field<UserDraft, proxy::UserOptions>;

// A setting in one syntax.
struct Spelling {
  std::string_view key;                           // Empty: not known there.
  std::optional<std::string_view> fallback = {};  // Default, where the options have another.
  Unit unit = Unit::None;                         // Of a bare number.
  std::string_view zero = {};                     // What 0 stands for, where it is not "none".
};

struct Setting {
  std::string_view name;  // Unique; what `pgweir config` and SHOW CONFIG call it.
  Reload reload = Reload::Live;
  Spelling url = {};
  Spelling toml = {};
  Spelling ini = {};
  ProcessField process = {};
  DatabaseField database = {};
  UserField user = {};
  std::string_view doc;  // One sentence.
  std::uint64_t number_min = 0;
  std::uint64_t number_max = UINT32_MAX;
  std::string_view note = {};  // Told to who sets it, for the daemon.

  const Spelling& spelling(Syntax syntax) const;
  bool is_secret() const { return process.is_secret || database.is_secret || user.is_secret; }
  std::string type() const;
};

// Writing rows. A path is a chain of member pointers: at<&Config::http, &HttpOptions::hosts>().

template <class T>
bool is_equal_value(const T& left, const T& right) {
  if constexpr (std::is_same_v<T, base::Secret>) {
    return left.is_equal(right.reveal());
  } else {
    return left == right;
  }
}

template <auto First, auto... Rest>
constexpr auto& follow(auto& object) {
  if constexpr (sizeof...(Rest) == 0) {
    return object.*First;
  } else {
    return follow<Rest...>(object.*First);
  }
}

template <class T>
struct FieldOf;
template <>
struct FieldOf<Config> {
  using Type = ProcessField;
  using Draft = ProcessDraft;
};
template <>
struct FieldOf<proxy::DatabaseOptions> {
  using Type = DatabaseField;
  using Draft = DatabaseDraft;
};
template <>
struct FieldOf<proxy::UserOptions> {
  using Type = UserField;
  using Draft = UserDraft;
};

template <class C, class T>
C class_of(T C::*);
template <auto...>
struct Root;
template <auto First, auto... Rest>
struct Root<First, Rest...> {
  using Type = decltype(class_of(First));
};

// The value at the end of the path, read and shown by a codec of its own.
template <class C, auto... Path>
constexpr auto coded() {
  using Value = typename Root<Path...>::Type;
  using Draft = typename FieldOf<Value>::Draft;
  using T = std::remove_cvref_t<decltype(follow<Path...>(std::declval<Value&>()))>;
  return typename FieldOf<Value>::Type{
      .parse = [](const Input& input, Draft& to) { return C::parse(input, follow<Path...>(to)); },
      .render = [](const Value& of) { return C::render(follow<Path...>(of)); },
      .is_equal =
          [](const Value& left, const Value& right) {
            return is_equal_value(follow<Path...>(left), follow<Path...>(right));
          },
      .type = [] { return C::type(); },
      .is_secret = std::is_same_v<T, base::Secret>,
  };
}

// The value at the end of the path, read and shown as its type says.
template <auto... Path>
constexpr auto at() {
  using Value = typename Root<Path...>::Type;
  return coded<Codec<std::remove_cvref_t<decltype(follow<Path...>(std::declval<Value&>()))>>,
               Path...>();
}

// A count where 0 says "no limit".
template <auto... Path>
constexpr auto limit() {
  return coded<LimitCodec, Path...>();
}

// What every database, or every user, has unless its own entry says otherwise.
template <auto... Path>
constexpr ProcessField database_default() {
  return at<&Config::database_defaults, Path...>();
}
template <auto... Path>
constexpr ProcessField user_default() {
  return at<&Config::proxy, &proxy::Options::user_defaults, Path...>();
}

}  // namespace pgweir::config

// Codec<T>: text ↔ a value of type T, for every type that a setting can have. A codec knows
// nothing of settings; setting.h joins the two.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/secret.h"
#include "config/duration.h"
#include "config/enum_names.h"
#include "config/nearest_name.h"

namespace pgweir::config {

// What a codec is given besides its target.
struct Input {
  std::string_view text;
  Unit unit = Unit::None;        // Of a bare number.
  std::uint64_t number_min = 0;  // Both for counts only.
  std::uint64_t number_max = UINT32_MAX;
};

// What is wrong with a value, as the end of a sentence that begins with the setting's name;
// nullopt: nothing, and the target has the value.
using Complaint = std::optional<std::string>;

// "must be a number from 1 to 65535, not 'x'".
Complaint complain(std::string_view wanted, std::string_view text);
// "'sesion' is none of session, transaction; did you mean session?"
Complaint complain_choice(std::string_view text, const std::vector<std::string_view>& choices);

std::optional<std::uint64_t> parse_whole_number(std::string_view text);
std::vector<std::string> split_list(std::string_view text);
std::string join_list(const std::vector<std::string>& items);

template <class T>
struct Codec;

template <>
struct Codec<std::string> {
  static Complaint parse(const Input& input, std::string& to);
  static std::string render(const std::string& value) { return value; }
  static std::string type() { return "text"; }
};

template <>
struct Codec<std::vector<std::string>> {
  static Complaint parse(const Input& input, std::vector<std::string>& to);
  static std::string render(const std::vector<std::string>& value) { return join_list(value); }
  static std::string type() { return "list"; }
};

template <>
struct Codec<bool> {
  static Complaint parse(const Input& input, bool& to);
  static std::string render(const bool& value) { return value ? "true" : "false"; }
  static std::string type() { return "true | false"; }
};

template <>
struct Codec<std::uint16_t> {
  static Complaint parse(const Input& input, std::uint16_t& to);
  static std::string render(const std::uint16_t& value) { return std::to_string(value); }
  static std::string type() { return "port"; }
};

template <>
struct Codec<std::uint32_t> {
  static Complaint parse(const Input& input, std::uint32_t& to);
  static std::string render(const std::uint32_t& value) { return std::to_string(value); }
  static std::string type() { return "number"; }
};

template <>
struct Codec<std::uint64_t> {
  static Complaint parse(const Input& input, std::uint64_t& to);
  static std::string render(const std::uint64_t& value);
  static std::string type() { return "size"; }
};

template <>
struct Codec<base::Duration> {
  static Complaint parse(const Input& input, base::Duration& to);
  static std::string render(const base::Duration& value) { return render_duration(value); }
  static std::string type() { return "duration"; }
};

template <>
struct Codec<base::Secret> {
  static Complaint parse(const Input& input, base::Secret& to);
  static std::string render(const base::Secret& value) { return value.empty() ? "" : "****"; }
  static std::string type() { return "secret"; }
};

template <>
struct Codec<HttpAddress> {
  static Complaint parse(const Input& input, HttpAddress& to);
  static std::string render(const HttpAddress& value);
  static std::string type() { return "address:port | off"; }
};

template <>
struct Codec<proxy::ServerAuth> {
  static Complaint parse(const Input& input, proxy::ServerAuth& to);
  static std::string render(const proxy::ServerAuth& value);
  static std::string type() { return "list"; }
};

template <class Enum>
requires std::is_enum_v<Enum>
struct Codec<Enum> {
  static Complaint parse(const Input& input, Enum& to) {
    for (const auto& name : EnumNames<Enum>::kNames) {
      if (!is_same_name(name.text, input.text)) continue;
      to = name.value;
      return std::nullopt;
    }
    return complain_choice(input.text, choices());
  }
  static std::string render(const Enum& value) {
    for (const auto& name : EnumNames<Enum>::kNames) {
      if (name.value == value) return std::string(name.text);
    }
    return {};
  }
  static std::string type() { return fmt::format("{}", fmt::join(choices(), " | ")); }

 private:
  // The shown names only: the first of each enumerator.
  static std::vector<std::string_view> choices() {
    std::vector<std::string_view> texts;
    for (const auto& name : EnumNames<Enum>::kNames) {
      if (render(name.value) == name.text) texts.push_back(name.text);
    }
    return texts;
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static Complaint parse(const Input& input, std::optional<T>& to) {
    T value{};
    Complaint complaint = Codec<T>::parse(input, value);
    if (!complaint) to = std::move(value);
    return complaint;
  }
  static std::string render(const std::optional<T>& value) {
    return value ? Codec<T>::render(*value) : std::string();
  }
  static std::string type() { return Codec<T>::type(); }
};

// A count where 0 says "no limit", which the options call pool::kUnlimited.
struct LimitCodec {
  static Complaint parse(const Input& input, std::uint32_t& to);
  static std::string render(const std::uint32_t& value);
  static std::string type() { return "number"; }
};

// The same where the options may say nothing.
struct OptionalLimitCodec {
  static Complaint parse(const Input& input, std::optional<std::uint32_t>& to);
  static std::string render(const std::optional<std::uint32_t>& value) {
    return value ? LimitCodec::render(*value) : std::string();
  }
  static std::string type() { return LimitCodec::type(); }
};

// File permissions: octal as in chmod, with or without leading zeros.
struct FileModeCodec {
  static Complaint parse(const Input& input, std::uint32_t& to);
  static std::string render(const std::uint32_t& value) { return fmt::format("{:04o}", value); }
  static std::string type() { return "octal number"; }
};

}  // namespace pgweir::config

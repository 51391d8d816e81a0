// Results for tests of values, made without a server: rows of one row, and what as<T>() makes of
// them. Not for the rest of the library: a real PostgreSQL brings its results by itself.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "pgweir/parameters.hpp"
#include "pgweir/rows.hpp"

namespace pgweir::client {

struct Column {
  type_oid type = type_oid::unspecified;
  bool is_binary = false;
  std::optional<std::string> value = {};
  std::string name = "v";
};

inline Column text(type_oid type, std::string_view value) {
  return {.type = type, .value = std::string(value)};
}
inline Column binary(type_oid type, std::string_view value) {
  return {.type = type, .is_binary = true, .value = std::string(value)};
}
inline Column null(type_oid type) { return {.type = type}; }

inline rows rows_of(std::vector<Column> columns) {
  std::vector<PGresAttDesc> attributes;
  for (Column& column : columns) {
    attributes.push_back({.name = column.name.data(),
                          .tableid = 0,
                          .columnid = 0,
                          .format = column.is_binary ? 1 : 0,
                          .typid = static_cast<Oid>(column.type),
                          .typlen = -1,
                          .atttypmod = -1});
  }
  PGresult* const result = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
  PQsetResultAttrs(result, static_cast<int>(attributes.size()), attributes.data());
  for (int i = 0; i < static_cast<int>(columns.size()); ++i) {
    const std::optional<std::string>& value = columns[static_cast<std::size_t>(i)].value;
    std::string bytes = value.value_or("");
    PQsetvalue(result, 0, i, value ? bytes.data() : nullptr,
               value ? static_cast<int>(bytes.size()) : -1);
  }
  return rows::adopt(result);
}

template <class T>
T read_as(const Column& column) {
  return rows_of({column}).one().template as<T>();
}

// Why it is no T; the test fails if it is one.
template <class T>
std::string refusal(const Column& column) {
  std::string why;
  const auto read = [&] { static_cast<void>(read_as<T>(column)); };
  EXPECT_THAT(read,
              testing::ThrowsMessage<value_error>(testing::Truly([&](const std::string& text) {
                why = text;
                return true;
              })));
  return why;
}

// What is sent for a value, taken for a result: what is read from it is the same value.
template <class T>
Column sent(const T& value) {
  const parameters<1> one(value);
  const encoded_value& is = *one.view().values;
  EXPECT_STREQ(is.refused(), nullptr);
  if (is.data() == nullptr) return null(is.type());
  return {
      .type = is.type(), .is_binary = is.is_binary(), .value = std::string(is.data(), is.length())};
}

template <class T>
T there_and_back(const T& value) {
  return read_as<T>(sent(value));
}

// Why it cannot be sent; "" if it can.
template <class T>
std::string send_refusal(const T& value) {
  const parameters<1> one(value);
  const char* const why = one.view().values->refused();
  return why == nullptr ? "" : why;
}

// Feeds the decoder of T with bytes that nobody has made on purpose: some at random, and some that
// differ from `example` in a few places or by their length. Each is a value or refused; what is
// read beyond their end, the sanitizer sees. Gives how many were values.
template <class T>
int count_values_among_garbled(type_oid type, bool is_binary, std::string_view example) {
  constexpr std::string_view alphabet = "0123456789-+:. {}\",NULL[]=x";
  base::Rng rng(20'000 + static_cast<std::uint64_t>(type));
  int values = 0;
  for (int i = 0; i < 5'000; ++i) {
    const bool is_new = rng.chance(0.3);
    std::vector<char> made(is_new ? rng.below(40) : rng.below(example.size() + 4));
    if (!is_new) std::copy_n(example.data(), std::min(example.size(), made.size()), made.data());
    for (char& byte : made) {
      if (!is_new && rng.chance(0.9)) continue;
      byte = is_binary ? static_cast<char>(rng.next()) : alphabet[rng.below(alphabet.size())];
    }
    T to{};
    const cell from{.bytes = {made.data(), made.size()}, .is_binary = is_binary, .type = type};
    values += value_traits<T>::decode(from, to) == nullptr ? 1 : 0;
  }
  return values;
}

// The bytes of a binary form, spelled in hex: bytes("0001 ff").
inline std::string bytes(std::string_view hex) {
  std::string all;
  int high = -1;
  for (const char digit : hex) {
    if (digit == ' ') continue;
    const int nibble = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    if (high >= 0) all.push_back(static_cast<char>(high * 16 + nibble));
    high = high >= 0 ? -1 : nibble;
  }
  return all;
}

}  // namespace pgweir::client

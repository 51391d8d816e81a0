#include "pgweir/rows.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

namespace pgweir {
inline namespace v1 {
namespace {

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view() : text; }

std::string columns_of(const PGresult* result) {
  std::string text;
  for (int i = 0; i < PQnfields(result); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", PQfname(result, i));
  }
  return text;
}

std::string type_text(unsigned type) {
  switch (static_cast<type_oid>(type)) {
    case type_oid::boolean: return "bool";
    case type_oid::bytea: return "bytea";
    case type_oid::int8: return "int8";
    case type_oid::int2: return "int2";
    case type_oid::int4: return "int4";
    case type_oid::text: return "text";
    case type_oid::json: return "json";
    case type_oid::float4: return "float4";
    case type_oid::float8: return "float8";
    case type_oid::varchar: return "varchar";
    case type_oid::date: return "date";
    case type_oid::timestamp: return "timestamp";
    case type_oid::timestamptz: return "timestamptz";
    case type_oid::numeric: return "numeric";
    case type_oid::uuid: return "uuid";
    case type_oid::jsonb: return "jsonb";
    case type_oid::json_array: return "json[]";
    case type_oid::boolean_array: return "bool[]";
    case type_oid::bytea_array: return "bytea[]";
    case type_oid::int2_array: return "int2[]";
    case type_oid::int4_array: return "int4[]";
    case type_oid::text_array: return "text[]";
    case type_oid::varchar_array: return "varchar[]";
    case type_oid::int8_array: return "int8[]";
    case type_oid::float4_array: return "float4[]";
    case type_oid::float8_array: return "float8[]";
    case type_oid::timestamp_array: return "timestamp[]";
    case type_oid::date_array: return "date[]";
    case type_oid::timestamptz_array: return "timestamptz[]";
    case type_oid::numeric_array: return "numeric[]";
    case type_oid::uuid_array: return "uuid[]";
    case type_oid::jsonb_array: return "jsonb[]";
    case type_oid::unspecified: break;
  }
  return fmt::format("of the type with oid {}", type);
}

[[noreturn]] void refuse_value(std::string text) {
  throw_error({.kind = error_kind::value, .text = std::move(text)});
}

}  // namespace

bool field::is_null() const noexcept { return PQgetisnull(result_, row_, column_) != 0; }

std::string_view field::name() const noexcept { return text_of(PQfname(result_, column_)); }

std::string_view field::bytes() const noexcept {
  return {PQgetvalue(result_, row_, column_),
          static_cast<std::size_t>(PQgetlength(result_, row_, column_))};
}

cell field::value() const noexcept {
  return {.bytes = bytes(),
          .is_null = is_null(),
          .is_binary = PQfformat(result_, column_) == 1,
          .type = static_cast<type_oid>(PQftype(result_, column_))};
}

void field::refuse(std::string_view why, std::string_view wanted) const {
  // A row of a stream does not know how many were before it.
  const bool is_streamed = PQresultStatus(result_) == PGRES_SINGLE_TUPLE;
  const std::string place = is_streamed ? "" : fmt::format(" of row {}", row_ + 1);
  refuse_value(fmt::format("column {} \"{}\"{}, which is {}, {}; {} was asked for", column_ + 1,
                           name(), place, type_text(PQftype(result_, column_)), why, wanted));
}

std::size_t row::size() const noexcept { return static_cast<std::size_t>(PQnfields(result_)); }

field row::operator[](std::size_t column) const {
  if (column >= size()) {
    refuse_value(fmt::format("column {} was asked for, counted from 0; there are {}: {}", column,
                             size(), columns_of(result_)));
  }
  return {result_, number_, static_cast<int>(column)};
}

field row::operator[](std::string_view name) const {
  for (int i = 0; i < PQnfields(result_); ++i) {
    if (text_of(PQfname(result_, i)) == name) return {result_, number_, i};
  }
  refuse_value(fmt::format("there is no column \"{}\"; there are: {}", name, columns_of(result_)));
}

void row::expect_columns(std::size_t count) const {
  if (count == size()) return;
  refuse_value(fmt::format("{} values were asked for and the row has {}: {}", count, size(),
                           columns_of(result_)));
}

std::size_t rows::size() const noexcept {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::uint64_t rows::affected() const noexcept {
  std::uint64_t count = 0;
  detail::parse_number(text_of(PQcmdTuples(result_.get())), count);
  return count;
}

std::size_t rows::column_count() const noexcept {
  return static_cast<std::size_t>(PQnfields(result_.get()));
}

std::string_view rows::column_name(std::size_t column) const noexcept {
  return text_of(PQfname(result_.get(), static_cast<int>(column)));
}

row rows::one() const {
  if (size() != 1) refuse_value(fmt::format("one row was expected, and there are {}", size()));
  return (*this)[0];
}

void rows::clear::operator()(pg_result* result) const noexcept { PQclear(result); }

}  // namespace v1
}  // namespace pgweir

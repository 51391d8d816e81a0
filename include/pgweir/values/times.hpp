/// \file
/// Points in time and days, of std::chrono. What knows its place on the time line
/// (std::chrono::sys_time) is a timestamptz, what a clock on a wall shows (std::chrono::local_time)
/// is a timestamp, and neither is read as the other. Parameters are binary. Not here: time, timetz
/// and interval, and infinity and the years before 1, which are refused in both directions.
/// Sources: PostgreSQL manual, chapter 8.5; src/include/datatype/timestamp.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "pgweir/export.hpp"
#include "pgweir/values.hpp"

namespace pgweir {
inline namespace v1 {

namespace detail {

/// Of std::chrono's calendar, which PostgreSQL's is too. All count from 1970.
inline constexpr std::int64_t first_day = -719'162;               ///< 0001-01-01
inline constexpr std::int64_t last_day = 2'145'031'948 + 10'957;  ///< 5874897-12-31
inline constexpr std::chrono::microseconds first_time = std::chrono::days(first_day);

/// REQUIRES: it is not before first_time.
PGWEIR_EXPORT void encode_time(type_oid type, std::chrono::microseconds since_1970,
                               encoded_value& to) noexcept;
/// Refuses what a date cannot be.
PGWEIR_EXPORT void encode_date(std::int64_t days_since_1970, encoded_value& to) noexcept;
/// Of the types timestamp and timestamptz; nullptr, or why not.
PGWEIR_EXPORT const char* decode_time(const cell& from, std::chrono::microseconds& to) noexcept;
PGWEIR_EXPORT const char* decode_date(const cell& from, std::int64_t& to) noexcept;

/// Is compared in units of its own: in microseconds it may be too large for any integer.
template <class Duration>
void encode_any_time(type_oid type, Duration since_1970, encoded_value& to) noexcept {
  static_assert(std::is_convertible_v<Duration, std::chrono::microseconds>,
                "PostgreSQL keeps microseconds: use std::chrono::floor<std::chrono::microseconds>");
  using wide = std::chrono::duration<std::int64_t, typename Duration::period>;
  constexpr auto last = std::chrono::floor<wide>(std::chrono::microseconds::max());
  constexpr auto first = std::chrono::ceil<wide>(first_time);
  if (std::cmp_less(since_1970.count(), first.count())) return to.refuse("is before the year 1");
  if (std::cmp_greater(since_1970.count(), last.count())) return to.refuse("is too far ahead");
  encode_time(type, wide(static_cast<std::int64_t>(since_1970.count())), to);
}

}  // namespace detail

/// A timestamptz, also of seconds, minutes and the like; std::chrono::system_clock::now() takes a
/// std::chrono::floor first.
template <class Duration>
struct value_traits<std::chrono::sys_time<Duration>> {
  static void encode(const std::chrono::sys_time<Duration>& value, encoded_value& to) {
    detail::encode_any_time(type_oid::timestamptz, value.time_since_epoch(), to);
  }
};

template <>
struct value_traits<std::chrono::sys_time<std::chrono::microseconds>> {
  using time = std::chrono::sys_time<std::chrono::microseconds>;
  static constexpr std::string_view name = "std::chrono::sys_time<std::chrono::microseconds>";
  static void encode(const time& value, encoded_value& to) {
    detail::encode_any_time(type_oid::timestamptz, value.time_since_epoch(), to);
  }
  static const char* decode(const cell& from, time& to) {
    if (from.type != type_oid::timestamptz) return "is no timestamptz";
    std::chrono::microseconds since_1970{};
    const char* const why = detail::decode_time(from, since_1970);
    to = time(since_1970);
    return why;
  }
};

/// A timestamp, also of seconds, minutes and the like.
template <class Duration>
struct value_traits<std::chrono::local_time<Duration>> {
  static void encode(const std::chrono::local_time<Duration>& value, encoded_value& to) {
    detail::encode_any_time(type_oid::timestamp, value.time_since_epoch(), to);
  }
};

template <>
struct value_traits<std::chrono::local_time<std::chrono::microseconds>> {
  using time = std::chrono::local_time<std::chrono::microseconds>;
  static constexpr std::string_view name = "std::chrono::local_time<std::chrono::microseconds>";
  static void encode(const time& value, encoded_value& to) {
    detail::encode_any_time(type_oid::timestamp, value.time_since_epoch(), to);
  }
  static const char* decode(const cell& from, time& to) {
    if (from.type != type_oid::timestamp) return "is no timestamp without time zone";
    std::chrono::microseconds since_1970{};
    const char* const why = detail::decode_time(from, since_1970);
    to = time(since_1970);
    return why;
  }
};

/// A date.
template <>
struct value_traits<std::chrono::sys_days> {
  static constexpr std::string_view name = "std::chrono::sys_days";
  static void encode(const std::chrono::sys_days& value, encoded_value& to) {
    detail::encode_date(value.time_since_epoch().count(), to);
  }
  static const char* decode(const cell& from, std::chrono::sys_days& to) {
    std::int64_t days = 0;
    const char* const why = detail::decode_date(from, days);
    to = std::chrono::sys_days(std::chrono::days(days));
    return why;
  }
};

/// A date, to the year 32767.
template <>
struct value_traits<std::chrono::year_month_day> {
  static constexpr std::string_view name = "std::chrono::year_month_day";
  static void encode(const std::chrono::year_month_day& value, encoded_value& to) {
    // The type is there in any case: an empty array takes it from year_month_day(), which is no
    // day.
    const auto days = value.ok() ? std::chrono::sys_days(value) : std::chrono::sys_days();
    detail::encode_date(days.time_since_epoch().count(), to);
    if (!value.ok()) to.refuse("is a day that no calendar has");
  }
  static const char* decode(const cell& from, std::chrono::year_month_day& to) {
    constexpr std::chrono::sys_days last =
        std::chrono::year::max() / std::chrono::December / std::chrono::day(31);
    std::chrono::sys_days days;
    const char* const why = value_traits<std::chrono::sys_days>::decode(from, days);
    if (why != nullptr) return why;
    if (days > last) return "is after the year 32767";
    to = days;
    return nullptr;
  }
};

}  // namespace v1
}  // namespace pgweir

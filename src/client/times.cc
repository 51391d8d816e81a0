#include "pgweir/values/times.hpp"

#include <optional>

#include "pgweir/values/numbers.hpp"

namespace pgweir {
inline namespace v1 {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::chrono::days kEpochDays(10'957);  // 2000-01-01, from which PostgreSQL counts.
constexpr microseconds kEpoch = kEpochDays;
constexpr const char* kGarbled = "is not what PostgreSQL says that it is";
constexpr const char* kInfinite = "is infinity";
constexpr const char* kTooEarly = "is before the year 1";
constexpr const char* kTooLate = "is too far ahead";
constexpr const char* kNotIso = "is not in the form of DateStyle ISO";

// Reads a text from its front. Once something is not there, nothing is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Digits alone, of which there are so many. -1 when they are not there.
  std::int64_t number(std::size_t digits_min, std::size_t digits_max) {
    std::int64_t value = 0;
    std::size_t digits = 0;
    while (digits < digits_max && digits < rest_.size() && is_digit(rest_[digits])) {
      value = value * 10 + (rest_[digits++] - '0');
    }
    rest_.remove_prefix(digits);
    return digits < digits_min ? -1 : value;
  }
  // The digits behind a point, of which trailing zeros are left out.
  std::int64_t millionths() {
    const std::size_t before = rest_.size();
    std::int64_t value = number(1, 6);
    for (std::size_t digits = before - rest_.size(); digits < 6; ++digits) value *= 10;
    return value;
  }
  std::string_view rest() const { return rest_; }

 private:
  static bool is_digit(char character) { return character >= '0' && character <= '9'; }
  std::string_view rest_;
};

bool is_infinite(std::string_view text) { return text == "infinity" || text == "-infinity"; }

// A std::chrono::year ends at 32767: the year goes on as one that repeats 400 years earlier.
constexpr std::int64_t kYearsOfCycle = 400;
constexpr std::int64_t kDaysOfCycle = 146'097;

std::optional<std::int64_t> days_since_1970(std::int64_t year, std::int64_t month,
                                            std::int64_t day) {
  if (year < 1 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day in_cycle(
      std::chrono::year(static_cast<int>(year % kYearsOfCycle)),
      std::chrono::month(static_cast<unsigned>(month)),
      std::chrono::day(static_cast<unsigned>(day)));
  if (!in_cycle.ok()) return std::nullopt;
  return std::chrono::sys_days(in_cycle).time_since_epoch().count() +
         year / kYearsOfCycle * kDaysOfCycle;
}

std::optional<std::int64_t> scan_days(Scanner& text) {
  const std::int64_t year = text.number(4, 7);
  if (!text.take('-')) return std::nullopt;
  const std::int64_t month = text.number(2, 2);
  if (!text.take('-')) return std::nullopt;
  return days_since_1970(year, month, text.number(2, 2));
}

std::optional<seconds> scan_time_of_day(Scanner& text) {
  const std::int64_t hour = text.number(2, 2);
  if (!text.take(':')) return std::nullopt;
  const std::int64_t minute = text.number(2, 2);
  if (!text.take(':')) return std::nullopt;
  const std::int64_t second = text.number(2, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
}

// How far the text is ahead of UTC. Before there were time zones, a place had its seconds too.
std::optional<seconds> scan_offset(Scanner& text) {
  const bool is_behind = text.take('-');
  if (!is_behind && !text.take('+')) return std::nullopt;
  const std::int64_t hour = text.number(2, 3);
  const std::int64_t minute = text.take(':') ? text.number(2, 2) : 0;
  const std::int64_t second = text.take(':') ? text.number(2, 2) : 0;
  if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  const seconds ahead = std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
  return is_behind ? -ahead : ahead;
}

const char* finish(Scanner& text) {
  if (text.rest() == " BC") return kTooEarly;
  return text.rest().empty() ? nullptr : kNotIso;
}

// As microseconds the seconds alone may be too many for an integer.
const char* join(seconds whole, microseconds part, microseconds& to) {
  if (whole < std::chrono::floor<seconds>(detail::first_time)) return kTooEarly;
  constexpr auto last = std::chrono::floor<seconds>(microseconds::max());
  if (whole > last || (whole == last && part > microseconds::max() - last)) return kTooLate;
  to = whole + part;
  return nullptr;
}

const char* parse_time(const cell& from, microseconds& to) {
  if (is_infinite(from.bytes)) return kInfinite;
  Scanner text(from.bytes);
  const std::optional<std::int64_t> days = scan_days(text);
  if (!days || !text.take(' ')) return kNotIso;
  const std::optional<seconds> time_of_day = scan_time_of_day(text);
  const std::int64_t part = text.take('.') ? text.millionths() : 0;
  const bool has_offset = from.type == type_oid::timestamptz;
  const std::optional<seconds> offset = has_offset ? scan_offset(text) : seconds(0);
  if (!time_of_day || part < 0 || !offset) return kNotIso;
  if (const char* why = finish(text)) return why;
  return join(std::chrono::days(*days) + *time_of_day - *offset, microseconds(part), to);
}

const char* read_time(std::string_view bytes, microseconds& to) {
  if (bytes.size() != 8) return kGarbled;
  const microseconds since_2000(
      static_cast<std::int64_t>(detail::decode_big_endian<std::uint64_t>(bytes)));
  if (since_2000 == microseconds::max() || since_2000 == microseconds::min()) return kInfinite;
  if (since_2000 < detail::first_time - kEpoch) return kTooEarly;
  if (since_2000 > microseconds::max() - kEpoch) return kTooLate;
  to = since_2000 + kEpoch;
  return nullptr;
}

const char* parse_date(std::string_view from, std::int64_t& to) {
  if (is_infinite(from)) return kInfinite;
  Scanner text(from);
  const std::optional<std::int64_t> days = scan_days(text);
  if (!days) return kNotIso;
  to = *days;
  return finish(text);
}

const char* read_date(std::string_view bytes, std::int64_t& to) {
  using day_number = std::numeric_limits<std::int32_t>;
  if (bytes.size() != 4) return kGarbled;
  const auto since_2000 =
      static_cast<std::int32_t>(detail::decode_big_endian<std::uint32_t>(bytes));
  if (since_2000 == day_number::max() || since_2000 == day_number::min()) return kInfinite;
  to = since_2000 + kEpochDays.count();
  return nullptr;
}

}  // namespace

void detail::encode_time(type_oid type, microseconds since_1970, encoded_value& to) noexcept {
  encode_big_endian(type, static_cast<std::uint64_t>((since_1970 - kEpoch).count()), to);
}

void detail::encode_date(std::int64_t days_since_1970, encoded_value& to) noexcept {
  if (days_since_1970 < first_day) return to.refuse(kTooEarly);
  if (days_since_1970 > last_day) return to.refuse(kTooLate);
  encode_big_endian(type_oid::date,
                    static_cast<std::uint32_t>(days_since_1970 - kEpochDays.count()), to);
}

const char* detail::decode_time(const cell& from, microseconds& to) noexcept {
  return from.is_binary ? read_time(from.bytes, to) : parse_time(from, to);
}

const char* detail::decode_date(const cell& from, std::int64_t& to) noexcept {
  if (from.type != type_oid::date) return "is no date";
  const char* const why = from.is_binary ? read_date(from.bytes, to) : parse_date(from.bytes, to);
  if (why != nullptr) return why;
  if (to < first_day) return kTooEarly;
  return to > last_day ? kGarbled : nullptr;
}

}  // namespace v1
}  // namespace pgweir

/// \file
/// sqlstate: PostgreSQL's five characters for what went wrong (manual, appendix A), and names for
/// those that programs decide on. It is a value; what to do about one is error.hpp.
#pragma once

#include <array>
#include <string_view>

namespace pgweir {
inline namespace v1 {

/// Compares as its text. Default-constructed it is empty: PostgreSQL said nothing.
class sqlstate {
 public:
  constexpr sqlstate() noexcept = default;
  /// Takes the first five characters of `text`; an empty one if there are fewer. Never throws.
  constexpr explicit sqlstate(std::string_view text) noexcept {
    if (text.size() < text_.size()) return;
    for (std::size_t i = 0; i < text_.size(); ++i) text_[i] = text[i];
  }

  /// Whether PostgreSQL has said nothing.
  constexpr bool empty() const noexcept { return text_[0] == '\0'; }
  /// Valid as long as this object.
  constexpr std::string_view text() const noexcept {
    return {text_.data(), empty() ? 0 : text_.size()};
  }
  /// Its first two characters: "23" for every constraint that was violated.
  constexpr std::string_view class_text() const noexcept { return text().substr(0, 2); }

  friend constexpr bool operator==(const sqlstate&, const sqlstate&) noexcept = default;

  static const sqlstate admin_shutdown;         ///< 57P01
  static const sqlstate cannot_connect_now;     ///< 57P03
  static const sqlstate check_violation;        ///< 23514
  static const sqlstate deadlock_detected;      ///< 40P01
  static const sqlstate duplicate_table;        ///< 42P07
  static const sqlstate exclusion_violation;    ///< 23P01
  static const sqlstate foreign_key_violation;  ///< 23503
  static const sqlstate in_failed_transaction;  ///< 25P02
  static const sqlstate invalid_password;       ///< 28P01
  static const sqlstate lock_not_available;     ///< 55P03
  static const sqlstate not_null_violation;     ///< 23502
  static const sqlstate query_canceled;         ///< 57014
  static const sqlstate serialization_failure;  ///< 40001
  static const sqlstate syntax_error;           ///< 42601
  static const sqlstate too_many_connections;   ///< 53300
  static const sqlstate undefined_column;       ///< 42703
  static const sqlstate undefined_table;        ///< 42P01
  static const sqlstate unique_violation;       ///< 23505

 private:
  std::array<char, 5> text_{};
};

inline constexpr sqlstate sqlstate::admin_shutdown{"57P01"};
inline constexpr sqlstate sqlstate::cannot_connect_now{"57P03"};
inline constexpr sqlstate sqlstate::check_violation{"23514"};
inline constexpr sqlstate sqlstate::deadlock_detected{"40P01"};
inline constexpr sqlstate sqlstate::duplicate_table{"42P07"};
inline constexpr sqlstate sqlstate::exclusion_violation{"23P01"};
inline constexpr sqlstate sqlstate::foreign_key_violation{"23503"};
inline constexpr sqlstate sqlstate::in_failed_transaction{"25P02"};
inline constexpr sqlstate sqlstate::invalid_password{"28P01"};
inline constexpr sqlstate sqlstate::lock_not_available{"55P03"};
inline constexpr sqlstate sqlstate::not_null_violation{"23502"};
inline constexpr sqlstate sqlstate::query_canceled{"57014"};
inline constexpr sqlstate sqlstate::serialization_failure{"40001"};
inline constexpr sqlstate sqlstate::syntax_error{"42601"};
inline constexpr sqlstate sqlstate::too_many_connections{"53300"};
inline constexpr sqlstate sqlstate::undefined_column{"42703"};
inline constexpr sqlstate sqlstate::undefined_table{"42P01"};
inline constexpr sqlstate sqlstate::unique_violation{"23505"};

}  // namespace v1
}  // namespace pgweir

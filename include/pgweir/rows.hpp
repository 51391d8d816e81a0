/// \file
/// rows: the result of a statement, whole and independent of the connection; row and field are
/// views of it. What a value becomes in C++ is values.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "pgweir/error.hpp"
#include "pgweir/values/all.hpp"

struct pg_result;

namespace pgweir {
inline namespace v1 {

class rows;
class row_stream;

/// One value of a row. A view: valid as long as the rows. Thread-safety: reading only.
class PGWEIR_EXPORT field {
 public:
  /// Whether it is NULL.
  bool is_null() const noexcept;
  /// Of its column.
  std::string_view name() const noexcept;
  /// As it was sent; empty for NULL.
  std::string_view bytes() const noexcept;

  /// Errors: value, when it is NULL and T is no std::optional, of another type, or does not fit.
  template <class T>
  T as() const {
    const cell from = value();
    if constexpr (detail::is_optional<T>::value) {
      if (from.is_null) return std::nullopt;
      return convert<typename T::value_type>(from);
    } else {
      if (from.is_null) refuse("is NULL", value_traits<T>::name);
      return convert<T>(from);
    }
  }

 private:
  friend class row;

  field(const pg_result* result, int row, int column) noexcept
      : result_(result), row_(row), column_(column) {}
  cell value() const noexcept;
  template <class T>
  T convert(const cell& from) const {
    T to{};
    if (const char* why = value_traits<T>::decode(from, to)) refuse(why, value_traits<T>::name);
    return to;
  }
  [[noreturn]] void refuse(std::string_view why, std::string_view wanted) const;

  const pg_result* result_;
  int row_;
  int column_;
};

/// One row. A view: valid as long as the rows.
class PGWEIR_EXPORT row {
 public:
  /// Columns.
  std::size_t size() const noexcept;
  /// Errors: value, when there are fewer columns.
  field operator[](std::size_t column) const;
  /// Errors: value, naming the columns that there are.
  field operator[](std::string_view name) const;

  /// One column as T, or several as a std::tuple, or all as a struct whose members are in the order
  /// of the columns. Errors: value, also when there are more or fewer columns.
  template <class... T>
  auto as() const {
    if constexpr (sizeof...(T) == 1 && (detail::row_struct<T> && ...)) {
      return (as_struct<T>(std::type_identity<detail::members_of<T>>()), ...);
    } else {
      expect_columns(sizeof...(T));
      return as_tuple<T...>(std::index_sequence_for<T...>{});
    }
  }

 private:
  friend class rows;
  friend class row_stream;

  row(const pg_result* result, int number) noexcept : result_(result), number_(number) {}
  void expect_columns(std::size_t count) const;
  template <class... T, std::size_t... Column>
  auto as_tuple(std::index_sequence<Column...>) const {
    if constexpr (sizeof...(T) == 1) {
      return (field(result_, number_, 0).as<T>(), ...);
    } else {
      return std::tuple<T...>{field(result_, number_, static_cast<int>(Column)).as<T>()...};
    }
  }

  template <class Struct, class... Member>
  Struct as_struct(std::type_identity<std::tuple<Member...>>) const {
    expect_columns(sizeof...(Member));
    int column = 0;
    return Struct{field(result_, number_, column++).as<Member>()...};  // Braces keep the order.
  }

  const pg_result* result_;
  int number_;
};

/// Move-only. Thread-safety: any number of threads may read.
class PGWEIR_EXPORT rows {
 public:
  /// The other is good for its destructor only.
  rows(rows&&) noexcept = default;
  /// The other is good for its destructor only.
  rows& operator=(rows&&) noexcept = default;
  ~rows() = default;

  /// Rows.
  std::size_t size() const noexcept;
  /// Whether there is no row.
  bool empty() const noexcept { return size() == 0; }
  /// How many the statement has inserted, changed, deleted or found.
  std::uint64_t affected() const noexcept;
  /// Also where there is no row.
  std::size_t column_count() const noexcept;
  /// REQUIRES: column < column_count().
  std::string_view column_name(std::size_t column) const noexcept;

  /// REQUIRES: index < size().
  row operator[](std::size_t index) const noexcept {
    return {result_.get(), static_cast<int>(index)};
  }
  /// The only row. Errors: value, when there are more or none.
  row one() const;

  /// What row::as() of each row gives: `for (auto [id, name] : rows.as<int, std::string>())`, or
  /// `for (const User& user : rows.as<User>())`.
  template <class... T>
  class typed;
  /// Borrows the rows.
  template <class... T>
  typed<T...> as() const& noexcept {
    return typed<T...>(*this);
  }
  template <class... T>
  typed<T...> as() const&& = delete;  // The rows would be gone.

  class iterator {
   public:
    using value_type = row;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    row operator*() const noexcept { return (*rows_)[index_]; }
    iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    friend class rows;
    iterator(const rows* of, std::size_t index) noexcept : rows_(of), index_(index) {}
    const rows* rows_ = nullptr;
    std::size_t index_ = 0;
  };
  /// The first row.
  iterator begin() const noexcept { return {this, 0}; }
  /// Behind the last row.
  iterator end() const noexcept { return {this, size()}; }

  /// Takes over a PGresult of PQgetResult's.
  static rows adopt(pg_result* result) noexcept { return rows(result); }

 private:
  struct PGWEIR_EXPORT clear {
    void operator()(pg_result* result) const noexcept;
  };
  explicit rows(pg_result* result) noexcept : result_(result) {}

  std::unique_ptr<pg_result, clear> result_;
};

/// A part of what a statement would bring: connection::query_page().
struct page {
  rows items;             ///< At most as many as were asked for.
  bool has_more = false;  ///< There are rows behind these.
};

template <class... T>
class rows::typed {
 public:
  class iterator {
   public:
    using value_type = decltype(std::declval<row>().as<T...>());
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(rows::iterator at) noexcept : at_(at) {}
    value_type operator*() const { return (*at_).template as<T...>(); }
    iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++at_;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    rows::iterator at_;
  };

  /// The first row.
  iterator begin() const noexcept { return iterator(of_->begin()); }
  /// Behind the last row.
  iterator end() const noexcept { return iterator(of_->end()); }

 private:
  friend class rows;
  explicit typed(const rows& of) noexcept : of_(&of) {}
  const rows* of_;
};

}  // namespace v1
}  // namespace pgweir

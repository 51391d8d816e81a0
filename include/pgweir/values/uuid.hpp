/// \file
/// uuid: the 16 bytes of a universally unique identifier. Binary as a parameter. It is read and
/// written, not made: PostgreSQL has gen_random_uuid().
/// Sources: PostgreSQL manual, chapter 8.12; RFC 9562, section 4.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pgweir/export.hpp"
#include "pgweir/values.hpp"

namespace pgweir {
inline namespace v1 {

/// A value. It compares as its bytes, and so as PostgreSQL compares. Default-constructed it is the
/// nil UUID, all zeros.
class PGWEIR_EXPORT uuid {
 public:
  constexpr uuid() noexcept = default;
  /// Of its bytes in the order of the text.
  constexpr explicit uuid(const std::array<std::byte, 16>& bytes) noexcept : bytes_(bytes) {}

  /// Of 32 hex digits in either case, with hyphens as in text() or with none. std::nullopt when it
  /// is anything else.
  static std::optional<uuid> parse(std::string_view text) noexcept;

  /// In the order of the text.
  constexpr const std::array<std::byte, 16>& bytes() const noexcept { return bytes_; }
  /// As "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".
  std::string text() const;

  friend constexpr std::strong_ordering operator<=>(const uuid& left, const uuid& right) noexcept {
    return left.bytes_ <=> right.bytes_;
  }
  friend constexpr bool operator==(const uuid&, const uuid&) noexcept = default;

 private:
  std::array<std::byte, 16> bytes_{};
};

template <>
struct value_traits<uuid> {
  static constexpr std::string_view name = "pgweir::uuid";
  static void encode(const uuid& value, encoded_value& to) {
    const auto* const bytes = reinterpret_cast<const char*>(value.bytes().data());
    to.set_bytes(type_oid::uuid, {bytes, value.bytes().size()});
  }
  static const char* decode(const cell& from, uuid& to) {
    if (from.type != type_oid::uuid) return "is no uuid";
    std::optional<uuid> read;
    if (!from.is_binary) {
      read = uuid::parse(from.bytes);
    } else if (std::array<std::byte, 16> bytes; from.bytes.size() == bytes.size()) {
      std::memcpy(bytes.data(), from.bytes.data(), bytes.size());
      read.emplace(bytes);
    }
    if (!read) return "is not what PostgreSQL says that it is";
    to = *read;
    return nullptr;
  }
};

}  // namespace v1
}  // namespace pgweir

/// \cond
// Of all 16 bytes: some kinds of UUID are the same for the most part.
template <>
struct std::hash<pgweir::uuid> {
  std::size_t operator()(const pgweir::uuid& value) const noexcept {
    const auto* const bytes = reinterpret_cast<const char*>(value.bytes().data());
    return std::hash<std::string_view>{}({bytes, value.bytes().size()});
  }
};
/// \endcond

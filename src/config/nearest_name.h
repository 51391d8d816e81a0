// The known name that a mistyped one most likely means.
#pragma once

#include <span>
#include <string_view>

namespace pgweir::config {

// Without regard to case (ASCII).
bool is_same_name(std::string_view left, std::string_view right);

// Edits (insert, drop, replace, swap neighbours) that make `right` of `left`, in any case.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The candidate within a third of the name's length in edits, the first of equals; empty if none
// is that near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace pgweir::config
